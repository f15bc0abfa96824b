//! JSON straight between Python values and the bytes of payloads.
//!
//! What it means is said in Python (`converter/_json.py` and the decoders); this is the fast way for what is common.

mod read;
mod write;

pub use read::JsonPlan;
pub use write::JsonWriter;
