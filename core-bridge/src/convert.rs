//! Time and enum values between Core's messages and Python: durations and instants are float seconds.

use prost_wkt_types::{Duration, Timestamp};

const NANOS_PER_SECOND: f64 = 1e9;

/// Seconds as a protobuf duration, rounded to the microsecond that Python's `timedelta` keeps.
pub fn duration(seconds: f64) -> Duration {
    let micros = (seconds * 1e6).round();
    let whole = (micros / 1e6).trunc();
    Duration { seconds: whole as i64, nanos: ((micros - whole * 1e6) * 1e3) as i32 }
}

pub fn seconds(duration: &Duration) -> f64 {
    duration.seconds as f64 + f64::from(duration.nanos) / NANOS_PER_SECOND
}

/// Seconds since the epoch.
pub fn unix_seconds(timestamp: &Timestamp) -> f64 {
    timestamp.seconds as f64 + f64::from(timestamp.nanos) / NANOS_PER_SECOND
}

/// Nanoseconds since the epoch.
pub fn nanoseconds(timestamp: &Timestamp) -> i64 {
    timestamp.seconds * 1_000_000_000 + i64::from(timestamp.nanos)
}

/// The instant of that many nanoseconds since the epoch.
pub fn timestamp(nanoseconds: i64) -> Timestamp {
    let nanos = nanoseconds.rem_euclid(NANOS_PER_SECOND as i64) as i32;
    Timestamp { seconds: nanoseconds.div_euclid(NANOS_PER_SECOND as i64), nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_to_microseconds() {
        assert_eq!(duration(1.5), Duration { seconds: 1, nanos: 500_000_000 });
        assert_eq!(duration(0.1), Duration { seconds: 0, nanos: 100_000_000 });
        assert_eq!(duration(86_400.000_001), Duration { seconds: 86_400, nanos: 1_000 });
        assert_eq!(seconds(&duration(0.3)), 0.3);
    }

    #[test]
    fn century_long_durations_keep_their_seconds() {
        let century = 100.0 * 365.0 * 86_400.0;
        assert_eq!(duration(century), Duration { seconds: 3_153_600_000, nanos: 0 });
    }

    #[test]
    fn instants_keep_their_fraction() {
        let instant = Timestamp { seconds: 1_700_000_000, nanos: 250_000_000 };
        assert_eq!(unix_seconds(&instant), 1_700_000_000.25);
        assert_eq!(nanoseconds(&instant), 1_700_000_000_250_000_000);
    }

    #[test]
    fn nanoseconds_survive_the_round_trip() {
        for instant in [Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }, Timestamp { seconds: -2, nanos: 1 }] {
            assert_eq!(timestamp(nanoseconds(&instant)), instant);
        }
    }
}
