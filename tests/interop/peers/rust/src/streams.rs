//! Test streams: what tests/interop/README.md says under that name.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join;
use futures::stream::{self, StreamExt};
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p_core::PeerId;
use libp2p_stream::Control;
use libp2p_swarm::{Stream, StreamProtocol};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ECHO: &str = "/p2pchat-test/echo/1";
const SINK: &str = "/p2pchat-test/sink/1";
const SOURCE: &str = "/p2pchat-test/source/1";
const RESET: &str = "/p2pchat-test/reset/1";
const CHUNK: usize = 64 * 1024;
pub const PROTOCOLS: [&str; 4] = [ECHO, SINK, SOURCE, RESET];

fn pattern(from: u64, to: u64) -> Vec<u8> {
    (from..to).map(|i| (i ^ i >> 8 ^ i >> 16) as u8).collect()
}

fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn fault(text: impl Into<String>) -> io::Error {
    io::Error::other(text.into())
}

// ---- the side that accepts --------------------------------------------------

/// Serves one stream of the four protocols to its end.
pub async fn serve_one(stream: Stream, name: StreamProtocol) {
    let told = match name.as_ref() {
        ECHO => serve_echo(stream).await,
        SINK => serve_sink(stream).await,
        SOURCE => serve_source(stream).await,
        _ => serve_reset(stream).await,
    };
    if let Err(why) = told {
        eprintln!("{name}: {why}");
    }
}

async fn serve_echo(mut stream: Stream) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return stream.close().await;
        }
        stream.write_all(&chunk[..count]).await?;
        stream.flush().await?;
    }
}

async fn serve_sink(mut stream: Stream) -> io::Result<()> {
    let (count, hash) = read_all(&mut stream, |_, _| Ok(())).await?;
    let answer = format!("{count} {}\n", hex(hash));
    stream.write_all(answer.as_bytes()).await?;
    stream.close().await
}

async fn serve_source(mut stream: Stream) -> io::Result<()> {
    let (mut count, mut shift) = (0u64, 0);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        count |= u64::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
        if shift > 56 {
            return Err(fault("the count is too long"));
        }
    }
    write_pattern(&mut stream, 0, count).await?;
    stream.close().await?;
    read_all(&mut stream, |_, _| Ok(())).await.map(|_| ())
}

/// A stream that is dropped before both sides are closed is reset.
async fn serve_reset(mut stream: Stream) -> io::Result<()> {
    stream.read_exact(&mut [0]).await
}

// ---- both -------------------------------------------------------------------

async fn write_pattern(
    to: &mut (impl futures::AsyncWrite + Unpin),
    mut at: u64,
    end: u64,
) -> io::Result<()> {
    while at < end {
        let next = end.min(at + CHUNK as u64);
        to.write_all(&pattern(at, next)).await?;
        at = next;
    }
    to.flush().await
}

/// Reads to the end; `judge` gets each piece with its offset.
async fn read_all(
    from: &mut (impl futures::AsyncRead + Unpin),
    judge: impl Fn(u64, &[u8]) -> io::Result<()>,
) -> io::Result<(u64, Sha256)> {
    let (mut chunk, mut count) = (vec![0; CHUNK], 0);
    let mut hash = Sha256::new();
    loop {
        let got = from.read(&mut chunk).await?;
        if got == 0 {
            return Ok((count, hash));
        }
        judge(count, &chunk[..got])?;
        hash.update(&chunk[..got]);
        count += got as u64;
    }
}

fn is_pattern(at: u64, piece: &[u8]) -> io::Result<()> {
    if piece == pattern(at, at + piece.len() as u64) {
        return Ok(());
    }
    Err(fault(format!("other bytes than the pattern's behind {at}")))
}

// ---- the side that opens ----------------------------------------------------

/// What `{"cmd":"stream"}` asks for.
#[derive(Clone)]
pub struct Job {
    peer: PeerId,
    proto: String,
    bytes: u64,
    count: usize,
    width: Option<usize>,
}

/// How a stream ended well.
struct End {
    sha256: Option<String>,
    reset: bool,
}

impl Job {
    pub fn read(cmd: &Value) -> Result<Self, String> {
        let number = |key: &str| cmd[key].as_u64();
        Ok(Self {
            peer: cmd["peer"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or("no peer")?,
            proto: cmd["proto"].as_str().ok_or("no proto")?.into(),
            bytes: number("bytes").unwrap_or(0),
            count: number("count").unwrap_or(1) as usize,
            width: number("width").map(|width| width as usize),
        })
    }

    /// Opens the streams and returns the members of `stream_done`.
    pub async fn run(self, control: Control) -> Value {
        let began = Instant::now();
        let open = Arc::new(Count::default());
        let ends = if self.width == Some(0) && self.proto == ECHO {
            self.all_open_at_once(&control, &open).await
        } else {
            let width = match self.width {
                None | Some(0) => self.count,
                Some(width) => width,
            };
            stream::iter(0..self.count)
                .map(|_| self.one(control.clone(), &open))
                .buffer_unordered(width.max(1))
                .collect()
                .await
        };
        let good: Vec<&End> = ends.iter().flatten().collect();
        json!({
            "peer": self.peer.to_string(),
            "proto": self.proto,
            "count": self.count,
            "bytes": self.bytes,
            "ok": good.len(),
            "failed": ends.len() - good.len(),
            "reset": good.iter().filter(|end| end.reset).count(),
            "ms": began.elapsed().as_millis() as u64,
            "open": open.most.load(Ordering::Relaxed),
            "sha256": good.last().and_then(|end| end.sha256.clone()),
            "text": ends.iter().find_map(|end| {
                end.as_ref().err().map(|why| why.to_string())
            }),
        })
    }

    async fn open(&self, mut control: Control) -> io::Result<Stream> {
        let proto = StreamProtocol::try_from_owned(self.proto.clone())
            .map_err(|e| fault(e.to_string()))?;
        control
            .open_stream(self.peer, proto)
            .await
            .map_err(|e| fault(e.to_string()))
    }

    async fn one(
        &self,
        control: Control,
        open: &Arc<Count>,
    ) -> io::Result<End> {
        let mut stream = self.open(control).await?;
        let _held = open.hold();
        match self.proto.as_str() {
            ECHO => self.echo(stream, 0).await,
            SINK => self.sink(stream).await,
            SOURCE => self.source(stream).await,
            RESET => reset(stream).await,
            _ => stream.close().await.map(|()| End {
                sha256: None,
                reset: false,
            }),
        }
    }

    async fn all_open_at_once(
        &self,
        control: &Control,
        open: &Arc<Count>,
    ) -> Vec<io::Result<End>> {
        let begun: Vec<io::Result<(Stream, Hold)>> =
            stream::iter(0..self.count)
                .map(|_| async {
                    let mut stream = self.open(control.clone()).await?;
                    let held = open.hold();
                    let mut first = [0];
                    if self.bytes > 0 {
                        write_pattern(&mut stream, 0, 1).await?;
                        stream.read_exact(&mut first).await?;
                    }
                    is_pattern(0, &first)?;
                    Ok((stream, held))
                })
                .buffer_unordered(self.count.max(1))
                .collect()
                .await;
        stream::iter(begun)
            .map(|each| async {
                let (stream, _held) = each?;
                self.echo(stream, self.bytes.min(1)).await
            })
            .buffer_unordered(self.count.max(1))
            .collect()
            .await
    }

    /// Sends and reads at the same time, from the byte `at` on.
    async fn echo(&self, stream: Stream, at: u64) -> io::Result<End> {
        let (mut reads, mut writes) = stream.split();
        let sent = async {
            write_pattern(&mut writes, at, self.bytes).await?;
            writes.close().await
        };
        let back =
            read_all(&mut reads, |from, piece| is_pattern(at + from, piece));
        let (sent, back) = join(sent, back).await;
        sent?;
        let (count, _) = back?;
        self.all_of_it(at + count)
    }

    async fn sink(&self, mut stream: Stream) -> io::Result<End> {
        write_pattern(&mut stream, 0, self.bytes).await?;
        stream.close().await?;
        let mut line = String::new();
        stream.read_to_string(&mut line).await?;
        let end = self.all_of_it(self.bytes)?;
        let right =
            format!("{} {}\n", self.bytes, end.sha256.as_deref().unwrap_or(""));
        if line != right {
            return Err(fault(format!("the answer is {line:?}")));
        }
        Ok(end)
    }

    async fn source(&self, mut stream: Stream) -> io::Result<End> {
        let (mut varint, mut rest) = (Vec::new(), self.bytes);
        while rest >= 0x80 {
            varint.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        varint.push(rest as u8);
        stream.write_all(&varint).await?;
        stream.flush().await?;
        let (count, _) = read_all(&mut stream, is_pattern).await?;
        stream.close().await?;
        self.all_of_it(count)
    }

    fn all_of_it(&self, count: u64) -> io::Result<End> {
        if count != self.bytes {
            return Err(fault(format!("it ended after {count} bytes")));
        }
        let mut hash = Sha256::new();
        let mut at = 0;
        while at < count {
            let next = count.min(at + CHUNK as u64);
            hash.update(pattern(at, next));
            at = next;
        }
        Ok(End {
            sha256: Some(hex(hash)),
            reset: false,
        })
    }
}

/// To a reader the library tells a Yamux reset as the end; what is written
/// after it fails, which on a stream that is half closed it does not.
async fn reset(mut stream: Stream) -> io::Result<End> {
    stream.write_all(&[0]).await?;
    stream.flush().await?;
    let read = stream.read(&mut [0]).await;
    let was_reset = match read {
        Ok(0) => stream.write_all(&[0]).await.is_err(),
        Ok(_) => return Err(fault("bytes instead of a reset")),
        Err(_) => true,
    };
    if !was_reset {
        return Err(fault("an end instead of a reset"));
    }
    Ok(End {
        sha256: None,
        reset: true,
    })
}

/// How many streams are open, and the most there were.
#[derive(Default)]
struct Count {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Hold(Arc<Count>);

impl Count {
    fn hold(self: &Arc<Self>) -> Hold {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        Hold(self.clone())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
