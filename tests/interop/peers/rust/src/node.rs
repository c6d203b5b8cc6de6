//! The libp2p node: transport, muxers, protocols, and the key it lives by.

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::Either;
use libp2p_core::muxing::StreamMuxerBox;
use libp2p_core::transport::Boxed;
use libp2p_core::upgrade::{SelectUpgrade, Version};
use libp2p_core::{PeerId, Transport};
use libp2p_gossipsub as gossipsub;
use libp2p_identity::Keypair;
use libp2p_swarm::behaviour::toggle::Toggle;
use libp2p_swarm::{NetworkBehaviour, Swarm};

use crate::{Settings, serve};

type Fault = Box<dyn Error + Send + Sync>;

// The programs' default of 128 streams being negotiated at a time, and the
// library's of 512 streams, are lifted for `--streams`.
const MANY_STREAMS: usize = 100_000;
// More the library refuses: 256 KiB each of its 1 GiB for a connection.
const MANY_YAMUX_STREAMS: usize = 4096;
// The library prunes whom it dialled at its first heartbeat.
const ALOOF_AFTER: Duration = Duration::from_millis(500);
const UPGRADE_TIME: Duration = Duration::from_secs(10);
// `ping` waits for the library's next ping of its own.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const YAMUX: &str = "/yamux/1.0.0";
const MPLEX: &str = "/mplex/6.7.0";

#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p_swarm::derive_prelude")]
pub struct Behaviour {
    pub gossip: gossipsub::Behaviour,
    pub identify: Toggle<libp2p_identify::Behaviour>,
    pub ping: Toggle<libp2p_ping::Behaviour>,
    pub mdns: Toggle<libp2p_mdns::tokio::Behaviour>,
    pub streams: libp2p_stream::Behaviour,
    pub served: Toggle<serve::Behaviour>,
}

/// Which muxer was agreed on with whom, last.
pub type Muxers = Arc<Mutex<HashMap<PeerId, &'static str>>>;

/// `seed`: the Ed25519 key of that number, the same at each start.
pub fn new_key(kind: &str, seed: Option<u8>) -> Result<Keypair, Fault> {
    if let Some(seed) = seed {
        return Ok(Keypair::ed25519_from_bytes([seed; 32])?);
    }
    Ok(match kind {
        "ed25519" => Keypair::generate_ed25519(),
        "secp256k1" => Keypair::generate_secp256k1(),
        "ecdsa" => Keypair::generate_ecdsa(),
        "rsa" => new_rsa_key()?,
        _ => return Err("no such type of key".into()),
    })
}

/// The library makes no RSA keys, it takes them as PKCS #1 or #8; which of the
/// two this command writes depends on its version.
fn new_rsa_key() -> Result<Keypair, Fault> {
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-outform", "DER"])
        .args(["-pkeyopt", "rsa_keygen_bits:2048"])
        .output()?;
    let mut der = made.stdout;
    let mut other = der.clone();
    libp2p_identity::rsa::Keypair::try_decode_pkcs8(&mut der)
        .or_else(|_| {
            libp2p_identity::rsa::Keypair::try_decode_pkcs1(&mut other)
        })
        .map(Keypair::from)
        .map_err(|e| format!("openssl genpkey: {e}").into())
}

/// TCP, Noise, and the muxers in their order, as the crate libp2p puts them
/// together: protocols are proposed lazily.
fn new_transport(
    key: &Keypair,
    set: &Settings,
    agreed: Muxers,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, Fault> {
    let noise = libp2p_noise::Config::new(key)?;
    let mut yamux = libp2p_yamux::Config::default();
    let mut mplex = libp2p_mplex::Config::new();
    if set.streams {
        yamux.set_max_num_streams(MANY_YAMUX_STREAMS);
        mplex.set_max_num_streams(MANY_STREAMS);
    }
    macro_rules! stack {
        ($muxers:expr, $name:expr) => {
            libp2p_tcp::tokio::Transport::new(
                libp2p_tcp::Config::default().nodelay(true),
            )
            .upgrade(Version::V1Lazy)
            .authenticate(noise)
            .multiplex($muxers)
            .timeout(UPGRADE_TIME)
            .map(move |(peer, muxer), _| {
                let name = $name(&muxer);
                agreed.lock().unwrap().insert(peer, name);
                (peer, StreamMuxerBox::new(muxer))
            })
            .boxed()
        };
    }
    Ok(match set.muxers.as_str() {
        "yamux" => stack!(yamux, |_: &_| YAMUX),
        "mplex" => stack!(mplex, |_: &_| MPLEX),
        "yamux,mplex" => {
            stack!(SelectUpgrade::new(yamux, mplex), |m: &Either<_, _>| {
                if matches!(m, Either::Left(_)) {
                    YAMUX
                } else {
                    MPLEX
                }
            })
        }
        "mplex,yamux" => {
            stack!(SelectUpgrade::new(mplex, yamux), |m: &Either<_, _>| {
                if matches!(m, Either::Left(_)) {
                    MPLEX
                } else {
                    YAMUX
                }
            })
        }
        _ => return Err("no such muxers".into()),
    })
}

/// The library's own figures, with what it thinks of others counted as its
/// defaults have it. Aloof: nobody is in its mesh.
fn new_gossip(
    key: &Keypair,
    aloof: bool,
) -> Result<gossipsub::Behaviour, Fault> {
    let mut config = gossipsub::ConfigBuilder::default();
    config.validation_mode(gossipsub::ValidationMode::Strict);
    if aloof {
        config
            .flood_publish(false)
            .heartbeat_initial_delay(ALOOF_AFTER)
            .mesh_outbound_min(0)
            .mesh_n_low(0)
            .mesh_n(0)
            .mesh_n_high(0);
    }
    let config = config.build()?;
    let mut gossip = gossipsub::Behaviour::new(
        gossipsub::MessageAuthenticity::Signed(key.clone()),
        config,
    )?;
    gossip.with_peer_score(
        gossipsub::PeerScoreParams::default(),
        gossipsub::PeerScoreThresholds::default(),
    )?;
    Ok(gossip)
}

fn new_identify(key: &Keypair) -> libp2p_identify::Behaviour {
    libp2p_identify::Behaviour::new(
        libp2p_identify::Config::new("/ipfs/0.1.0".into(), key.public())
            .with_push_listen_addr_updates(true),
    )
}

pub fn new_swarm(
    key: &Keypair,
    set: &Settings,
    agreed: Muxers,
) -> Result<Swarm<Behaviour>, Fault> {
    let id = key.public().to_peer_id();
    let mdns = if set.mdns {
        let config = libp2p_mdns::Config::default();
        Some(libp2p_mdns::tokio::Behaviour::new(config, id)?)
    } else {
        None
    };
    let behaviour = Behaviour {
        gossip: new_gossip(key, set.aloof)?,
        identify: (!set.silent).then(|| new_identify(key)).into(),
        ping: (!set.silent)
            .then(|| {
                let config = libp2p_ping::Config::new();
                libp2p_ping::Behaviour::new(config.with_interval(PING_INTERVAL))
            })
            .into(),
        mdns: mdns.into(),
        streams: libp2p_stream::Behaviour::new(),
        served: set.streams.then_some(serve::Behaviour).into(),
    };
    let mut config = libp2p_swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(Duration::from_secs(600));
    if set.streams {
        config = config.with_max_negotiating_inbound_streams(MANY_STREAMS);
    }
    let transport = new_transport(key, set, agreed)?;
    Ok(Swarm::new(transport, behaviour, id, config))
}
