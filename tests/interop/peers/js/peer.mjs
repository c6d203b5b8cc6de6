// A current js-libp2p gossipsub peer: TCP, Noise, Yamux, identify and ping.
// `--muxers mplex` and `--muxers mplex,yamux` make the muxer a matter of talks.
import './polyfill.mjs'

const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { noise } = await import('@libp2p/noise')
const { yamux } = await import('@libp2p/yamux')
const { mplex } = await import('@libp2p/mplex')
const { identify, identifyPush } = await import('@libp2p/identify')
const { ping } = await import('@libp2p/ping')
const { gossipsub } = await import('@libp2p/gossipsub')
const { mdns } = await import('@libp2p/mdns')
const { generateKeyPair } = await import('@libp2p/crypto/keys')
const { emit, gossipSettings, runPeer } = await import('./control.mjs')
const { STREAMS_MAX, adaptStream } = await import('./streams.mjs')

const muxers = { yamux, mplex }
const unlimited = {
  maxInboundStreams: STREAMS_MAX,
  maxOutboundStreams: STREAMS_MAX
}

// Connections that one address may open in a second; 5 is the library's own.
const CROWD = 100

// Multicast DNS that says whom it finds. It only looks: nothing is dialled.
function reportingMdns (components) {
  const discovery = mdns()(components)

  discovery.addEventListener('peer', ({ detail }) => {
    emit('discovered', { peer: detail.id.toString() })
  })
  return discovery
}

await runPeer({
  base: import.meta.url,
  adapt: adaptStream,
  unpack: (stream) => stream,
  defaults: { dialect: 'seed-js', name: 'js-user', muxers: 'yamux' },
  options: {
    'key-type': { type: 'string', default: 'Ed25519' },
    listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
    mdns: { type: 'boolean', default: false }
  },
  createNode: async (names, options) => createLibp2p({
    privateKey: await generateKeyPair(options['key-type']),
    addresses: { listen: [options.listen] },
    peerDiscovery: options.mdns ? [reportingMdns] : [],
    transports: [tcp()],
    connectionManager: options.score
      ? { inboundConnectionThreshold: CROWD, maxIncomingPendingConnections: CROWD }
      : {},
    connectionMonitor: { enabled: !options.streams },
    connectionEncrypters: [noise()],
    streamMuxers: names.map((name) =>
      muxers[name](options.streams ? unlimited : undefined)),
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      pubsub: gossipsub(gossipSettings(options))
    }
  })
})
