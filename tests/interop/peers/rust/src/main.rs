//! A rust-libp2p gossipsub peer that speaks bare text or the JSON of the Go
//! program p2p-chat-go. Control: JSON lines both ways, as
//! tests/interop/README.md says.

mod node;
mod say;
mod serve;
mod streams;

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::process::exit;
use std::time::Duration;

use futures::StreamExt;
use libp2p_core::{ConnectedPoint, Multiaddr, PeerId, multiaddr::Protocol};
use libp2p_gossipsub::{self as gossipsub, IdentTopic};
use libp2p_swarm::dial_opts::DialOpts;
use libp2p_swarm::{
    ConnectionId, DialError, StreamProtocol, Swarm, SwarmEvent,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use node::{Behaviour, BehaviourEvent, Muxers};
use say::{Dialect, emit, emit_done, emit_error};

// No peer outlives the test that forgot it.
const LIFE: Duration = Duration::from_secs(600);
const COMMAND_TIME: Duration = Duration::from_secs(10);
const PUSHED: &str = "/p2pchat-test/pushed/1";

pub struct Settings {
    topic: String,
    name: String,
    listen: Multiaddr,
    muxers: String,
    key_type: String,
    key_seed: Option<u8>,
    dialect: Dialect,
    mdns: bool,
    streams: bool,
    aloof: bool,
    /// Gossip and mDNS alone, as the chat example of rust-libp2p.
    silent: bool,
}

/// Returns None for a flag that this peer does not know or cannot do.
fn settings() -> Option<Settings> {
    let mut set = Settings {
        topic: "p2p-chat-default".into(),
        name: "rust_1234".into(),
        listen: "/ip4/127.0.0.1/tcp/0".parse().ok()?,
        muxers: "yamux".into(),
        key_type: "ed25519".into(),
        key_seed: None,
        dialect: Dialect::Go,
        mdns: false,
        streams: false,
        aloof: false,
        silent: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--mdns" => set.mdns = true,
            "--streams" => set.streams = true,
            "--aloof" => set.aloof = true,
            "--no-identify" => set.silent = true,
            "--topic" => set.topic = args.next()?,
            "--name" => set.name = args.next()?,
            "--listen" => set.listen = args.next()?.parse().ok()?,
            "--muxers" => set.muxers = args.next()?,
            "--key-type" => set.key_type = args.next()?,
            "--key-seed" => set.key_seed = Some(args.next()?.parse().ok()?),
            "--dialect" => set.dialect = Dialect::by_name(&args.next()?)?,
            _ => return None,
        }
    }
    Some(set)
}

/// What the command that runs waits for. One runs at a time.
enum Waits {
    Dial(ConnectionId),
    Ping(PeerId),
}

struct Peer {
    swarm: Swarm<Behaviour>,
    set: Settings,
    topic: IdentTopic,
    muxers: Muxers,
    control: libp2p_stream::Control,
    pushed: Option<libp2p_stream::IncomingStreams>,
    known: HashMap<PeerId, Value>,
    ready: bool,
    waits: Option<(Waits, Instant)>,
    job: Option<JoinHandle<Value>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Some(set) = settings() else {
        eprintln!("interop-rust-peer: a flag it does not know or cannot do");
        exit(2);
    };
    match tokio::time::timeout(LIFE, run(set)).await {
        Ok(Ok(())) => exit(0),
        Ok(Err(why)) => {
            eprintln!("{why}");
            exit(1);
        }
        Err(_) => exit(3),
    }
}

async fn run(set: Settings) -> Result<(), Box<dyn Error + Send + Sync>> {
    let key = node::new_key(&set.key_type, set.key_seed)?;
    let muxers = Muxers::default();
    let mut swarm = node::new_swarm(&key, &set, muxers.clone())?;
    let control = swarm.behaviour().streams.new_control();
    let topic = IdentTopic::new(set.topic.as_str());
    swarm.behaviour_mut().gossip.subscribe(&topic)?;
    swarm.listen_on(set.listen.clone())?;
    let mut peer = Peer {
        swarm,
        set,
        topic,
        muxers,
        control,
        pushed: None,
        known: HashMap::new(),
        ready: false,
        waits: None,
        job: None,
    };
    peer.obey().await;
    Ok(())
}

impl Peer {
    /// Runs the commands one after the other until `quit` or the end of stdin.
    async fn obey(&mut self) {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut queue = VecDeque::new();
        loop {
            while self.waits.is_none() && self.job.is_none() {
                let Some(line) = queue.pop_front() else { break };
                if !self.command(line) {
                    return;
                }
            }
            let due = self.waits.as_ref().map(|(_, due)| *due);
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => queue.push_back(line),
                    _ => return,
                },
                event = self.swarm.select_next_some() => self.on_event(event),
                told = async { self.job.as_mut().unwrap().await },
                        if self.job.is_some() => {
                    self.job = None;
                    match told {
                        Ok(members) => {
                            emit("stream_done", members);
                            emit_done("stream");
                        }
                        Err(why) => emit_error("stream", why),
                    }
                }
                () = tokio::time::sleep_until(due.unwrap_or(Instant::now())),
                        if due.is_some() => self.give_up(),
            }
        }
    }

    fn give_up(&mut self) {
        match self.waits.take() {
            Some((Waits::Dial(_), _)) => emit_error("dial", "no answer"),
            Some((Waits::Ping(_), _)) => emit_error("ping", "no answer"),
            None => {}
        }
    }

    fn wait_for(&mut self, what: Waits) {
        self.waits = Some((what, Instant::now() + COMMAND_TIME));
    }

    /// False for `quit`.
    fn command(&mut self, line: String) -> bool {
        let cmd: Value = match serde_json::from_str(&line) {
            Ok(cmd) => cmd,
            Err(why) => {
                emit_error("", why);
                return true;
            }
        };
        let name = cmd["cmd"].as_str().unwrap_or("");
        if name == "quit" {
            return false;
        }
        match self.start(name, &cmd) {
            Ok(true) => emit_done(name),
            Ok(false) => {}
            Err(why) => emit_error(name, why),
        }
        true
    }

    /// True when it is done, false when its end is waited for.
    fn start(&mut self, name: &str, cmd: &Value) -> Result<bool, String> {
        let text = |key: &str| cmd[key].as_str().unwrap_or("");
        let peer = || -> Result<PeerId, String> {
            text("peer").parse().map_err(|_| "no peer id".into())
        };
        match name {
            "dial" => return self.dial(text("addr")),
            "say" => {
                let own = self.swarm.local_peer_id().to_string();
                let bytes =
                    self.set.dialect.encode(text("text"), &self.set.name, &own);
                self.publish(bytes)?;
            }
            "raw" => self.publish(text("data").into())?,
            "ping" => {
                self.wait_for(Waits::Ping(peer()?));
                return Ok(false);
            }
            "stats" => self.stats(peer()?),
            "hangup" => {
                self.swarm
                    .disconnect_peer_id(peer()?)
                    .map_err(|()| "not connected".to_string())?;
            }
            "stream" => {
                let job = streams::Job::read(cmd)?;
                self.job = Some(tokio::spawn(job.run(self.control.clone())));
                return Ok(false);
            }
            "known" => {
                let known = self.known.get(&peer()?).ok_or("not identified")?;
                emit("identified", known.clone());
            }
            "push" => {
                let more = self.control.accept(StreamProtocol::new(PUSHED));
                self.pushed = Some(more.map_err(|e| e.to_string())?);
            }
            "leave" => {
                self.swarm.behaviour_mut().gossip.unsubscribe(&self.topic);
            }
            "join" => {
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.subscribe(&self.topic).map_err(|e| e.to_string())?;
            }
            _ => return Err("no such command".into()),
        }
        Ok(true)
    }

    fn dial(&mut self, addr: &str) -> Result<bool, String> {
        let addr: Multiaddr =
            addr.parse().map_err(|e| format!("{addr}: {e}"))?;
        let Some(Protocol::P2p(peer)) = addr.iter().last() else {
            return Err("no peer id in the address".into());
        };
        let options = DialOpts::peer_id(peer).addresses(vec![addr]).build();
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => self.wait_for(Waits::Dial(connection)),
            // It is connected already.
            Err(DialError::DialPeerConditionFalse(_)) => return Ok(true),
            Err(why) => return Err(why.to_string()),
        }
        Ok(false)
    }

    fn publish(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip
            .publish(self.topic.clone(), bytes)
            .map(|_| ())
            .map_err(|e| e.to_string())
    }

    fn stats(&mut self, peer: PeerId) {
        let gossip = &self.swarm.behaviour().gossip;
        let topic = self.topic.hash();
        // The library tells by what it would send, not what opened the stream
        // towards it.
        let kind = gossip
            .peer_protocol()
            .find(|(id, _)| **id == peer)
            .map(|(_, kind)| format!("{kind:?}"));
        let protocol = match kind.as_deref() {
            Some("Gossipsubv1_3") => Some("/meshsub/1.3.0"),
            Some("Gossipsubv1_2") => Some("/meshsub/1.2.0"),
            Some("Gossipsubv1_1") => Some("/meshsub/1.1.0"),
            Some("Gossipsub") => Some("/meshsub/1.0.0"),
            _ => None,
        };
        emit(
            "stats",
            json!({
                "peer": peer.to_string(),
                "mesh": gossip.mesh_peers(&topic).any(|id| *id == peer),
                "stream": protocol.is_some(),
                "gossip_out": protocol,
                "gossip_in": null,
                "score": gossip.peer_score(&peer),
            }),
        );
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => self.listens(address),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                num_established,
                ..
            } => {
                if num_established.get() == 1 {
                    self.connected(peer_id, &endpoint);
                }
                self.dialled(connection_id, Ok(()));
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                error,
                ..
            } => self.dialled(connection_id, Err(error.to_string())),
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => emit("disconnected", json!({"peer": peer_id.to_string()})),
            SwarmEvent::Behaviour(event) => self.on_protocol(event),
            _ => {}
        }
    }

    /// The first address makes the peer ready.
    fn listens(&mut self, address: Multiaddr) {
        if self.ready {
            return;
        }
        self.ready = true;
        let own = *self.swarm.local_peer_id();
        let versions: HashMap<_, _> = env!("LIBP2P_VERSIONS")
            .split(',')
            .filter_map(|each| each.split_once(' '))
            .collect();
        emit(
            "ready",
            json!({
                "peer_id": own.to_string(),
                "addrs": [address.with(Protocol::P2p(own)).to_string()],
                "dialect": self.set.dialect.name(),
                "topic": self.set.topic,
                "versions": versions,
            }),
        );
    }

    fn connected(&mut self, peer: PeerId, endpoint: &ConnectedPoint) {
        let muxer = self.muxers.lock().unwrap().get(&peer).copied();
        let dialled = endpoint.is_dialer();
        emit(
            "connected",
            json!({
                "peer": peer.to_string(),
                "muxer": muxer,
                "security": "/noise",
                "direction": if dialled { "Outbound" } else { "Inbound" },
                "addr": endpoint.get_remote_address().to_string(),
            }),
        );
    }

    fn dialled(&mut self, connection: ConnectionId, how: Result<(), String>) {
        match self.waits {
            Some((Waits::Dial(id), _)) if id == connection => {}
            _ => return,
        }
        self.waits = None;
        match how {
            Ok(()) => emit_done("dial"),
            Err(why) => emit_error("dial", why),
        }
    }

    fn on_protocol(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Identify(libp2p_identify::Event::Received {
                peer_id,
                info,
                ..
            }) => self.identified(peer_id, info),
            BehaviourEvent::Ping(event) => self.on_ping(event),
            BehaviourEvent::Mdns(libp2p_mdns::Event::Discovered(list)) => {
                for (peer, addr) in list {
                    let (peer, addr) = (peer.to_string(), addr.to_string());
                    emit("discovered", json!({"peer": peer, "addr": addr}));
                }
            }
            _ => {}
        }
    }

    fn identified(&mut self, peer: PeerId, info: libp2p_identify::Info) {
        let texts = |list: Vec<Multiaddr>| -> Vec<String> {
            list.iter().map(ToString::to_string).collect()
        };
        let protocols: Vec<&str> =
            info.protocols.iter().map(AsRef::as_ref).collect();
        let members = json!({
            "peer": peer.to_string(),
            "agent": info.agent_version,
            "protocols": protocols,
            "listen": texts(info.listen_addrs),
        });
        emit("identified", members.clone());
        self.known.insert(peer, members);
    }

    fn on_ping(&mut self, event: libp2p_ping::Event) {
        match self.waits {
            Some((Waits::Ping(peer), _)) if peer == event.peer => {}
            _ => return,
        }
        self.waits = None;
        match event.result {
            Ok(took) => {
                let ms = took.as_millis() as u64;
                let peer = event.peer.to_string();
                emit("pong", json!({"peer": peer, "ms": ms}));
                emit_done("ping");
            }
            Err(why) => emit_error("ping", why),
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { message, .. } => self.heard(&message),
            gossipsub::Event::Subscribed { peer_id, topic } => {
                let (peer, topic) = (peer_id.to_string(), topic.into_string());
                emit("subscribed", json!({"peer": peer, "topic": topic}));
            }
            gossipsub::Event::Unsubscribed { peer_id, topic } => {
                let (peer, topic) = (peer_id.to_string(), topic.into_string());
                emit("unsubscribed", json!({"peer": peer, "topic": topic}));
            }
            gossipsub::Event::SlowPeer { peer_id, .. } => {
                eprintln!("{peer_id} is slow");
            }
            gossipsub::Event::GossipsubNotSupported { .. } => {}
        }
    }

    fn heard(&mut self, message: &gossipsub::Message) {
        let shown = self.set.dialect.show(&message.data);
        emit(
            "message",
            json!({
                "from": message.source.map(|id| id.to_string()),
                "topic": message.topic.as_str(),
                "data": String::from_utf8_lossy(&message.data),
                "json": serde_json::from_slice::<Value>(&message.data)
                    .unwrap_or(Value::Null),
                "shown": shown.as_ref().ok(),
                "complaint": shown.as_ref().err(),
            }),
        );
    }
}
