//! What can be learnt of a serialized history without decoding its events.

use std::ops::Range;

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use temporalio_protos::temporal::api::enums::v1::EventType;

/// Fields of `History` and of `HistoryEvent`.
const EVENTS: u32 = 1;
const EVENT_ID: u32 = 1;
const EVENT_TYPE: u32 = 3;

/// One event of a serialized `History`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: i64,
    /// An `EventType`, or a number this version of the protocol has no name for.
    pub kind: i32,
    /// Where the event is in the history, as a field of it.
    pub field: Range<usize>,
    message: usize,
}

impl Event {
    pub fn is(&self, kind: EventType) -> bool {
        self.kind == kind as i32
    }

    /// Where the event itself is in the history.
    pub fn message(&self) -> Range<usize> {
        self.message..self.field.end
    }
}

/// The events of a serialized `temporal.api.history.v1.History`.
pub fn scan(history: &[u8]) -> Result<Vec<Event>, DecodeError> {
    let mut events = Vec::with_capacity(history.len() / 64);
    let mut rest = history;
    while !rest.is_empty() {
        let begin = history.len() - rest.len();
        let (tag, wire_type) = decode_key(&mut rest)?;
        if (tag, wire_type) != (EVENTS, WireType::LengthDelimited) {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut rest)?).unwrap_or(usize::MAX);
        let Some((message, behind)) = rest.split_at_checked(length) else {
            return Err(cut_short());
        };
        let start = history.len() - rest.len();
        let (id, kind) = id_and_kind(message)?;
        events.push(Event { id, kind, field: begin..start + length, message: start });
        rest = behind;
    }
    Ok(events)
}

fn id_and_kind(mut event: &[u8]) -> Result<(i64, i32), DecodeError> {
    let (mut id, mut kind) = (0, 0);
    while !event.is_empty() {
        let (tag, wire_type) = decode_key(&mut event)?;
        match (tag, wire_type) {
            (EVENT_ID, WireType::Varint) => id = decode_varint(&mut event)? as i64,
            (EVENT_TYPE, WireType::Varint) => kind = decode_varint(&mut event)? as i32,
            _ => skip_field(wire_type, tag, &mut event, DecodeContext::default())?,
        }
    }
    Ok((id, kind))
}

/// The error that prost itself has for this: it makes none for others.
fn cut_short() -> DecodeError {
    let mut nothing: &[u8] = &[];
    decode_varint(&mut nothing).expect_err("nothing is no number")
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use temporalio_protos::temporal::api::history::v1::{History, HistoryEvent};

    use super::*;

    fn history() -> History {
        let event = |event_id, event_type| HistoryEvent { event_id, event_type, task_id: 77, ..Default::default() };
        History { events: vec![event(1, 1), event(2, 5), event(300, 999)] }
    }

    #[test]
    fn events_are_found_where_they_are() {
        let history = history();
        let bytes = history.encode_to_vec();

        let events = scan(&bytes).unwrap();

        assert_eq!(events.iter().map(|event| (event.id, event.kind)).collect::<Vec<_>>(), [(1, 1), (2, 5), (300, 999)]);
        for (event, expected) in events.iter().zip(&history.events) {
            let message = &bytes[event.message()];
            assert_eq!(&HistoryEvent::decode(message).unwrap(), expected);
            assert_eq!(&History::decode(&bytes[event.field.clone()]).unwrap().events, std::slice::from_ref(expected));
        }
    }

    #[test]
    fn bytes_that_are_no_history_are_an_error() {
        let bytes = history().encode_to_vec();
        assert!(scan(&bytes[..bytes.len() - 1]).is_err());
        assert!(scan(b"\x0a\xff").is_err());
        assert!(scan(b"not a history").is_err());
    }
}
