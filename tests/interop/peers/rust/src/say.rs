//! Events on stdout, and the dialects that a line is written in.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// Writes one event as one JSON line. `members` is an object.
pub fn emit(event: &str, members: Value) {
    let mut line = Map::new();
    line.insert("event".into(), event.into());
    if let Value::Object(more) = members {
        line.extend(more);
    }
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the end of stdin ends this program soon.
    let _ = writeln!(out, "{}", Value::Object(line));
    let _ = out.flush();
}

pub fn emit_error(cmd: &str, text: impl ToString) {
    emit("error", json!({"cmd": cmd, "text": text.to_string()}));
}

pub fn emit_done(cmd: &str) {
    emit("done", json!({"cmd": cmd}));
}

/// How a line of chat becomes the bytes of a message, and back.
#[derive(Clone, Copy)]
pub enum Dialect {
    /// Bare text, as the universal-connectivity programs have it.
    Plain,
    /// The JSON of the Go program p2p-chat-go.
    Go,
}

impl Dialect {
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "plain" => Some(Self::Plain),
            "go" => Some(Self::Go),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Go => "native",
        }
    }

    pub fn encode(self, text: &str, username: &str, from: &str) -> Vec<u8> {
        match self {
            Self::Plain => text.into(),
            Self::Go => json!({
                "type": "message",
                "content": text,
                "username": username,
                "timestamp": SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| since.as_secs()),
                "from": from,
            })
            .to_string()
            .into(),
        }
    }

    /// What would be shown of these bytes, or why nothing would be.
    pub fn show(self, data: &[u8]) -> Result<String, &'static str> {
        let Self::Go = self else {
            return Ok(String::from_utf8_lossy(data).into());
        };
        let Ok(said) = serde_json::from_slice::<Value>(data) else {
            return Err("not JSON");
        };
        let text = |key: &str| said[key].as_str().unwrap_or("").to_string();
        if text("username").is_empty() {
            return Err("empty username");
        }
        if said["timestamp"].as_i64().unwrap_or(0) == 0 {
            return Err("no timestamp");
        }
        match said["type"].as_str() {
            Some("message") => Ok(text("content")),
            Some("join" | "leave") => Ok("*** ".to_string() + &text("content")),
            _ => Err("unknown type"),
        }
    }
}
