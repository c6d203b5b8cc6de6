// A js-libp2p 1.x peer with what the JavaScript program p2p-chat is made of:
// TCP, Noise, Mplex as the only muxer, identify, and no ping.
import './polyfill.mjs'

const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { noise } = await import('@chainsafe/libp2p-noise')
const { mplex } = await import('@libp2p/mplex')
const { identify } = await import('@libp2p/identify')
const { gossipsub } = await import('@chainsafe/libp2p-gossipsub')
const { gossipSettings, runPeer } = await import('./control.mjs')
const { STREAMS_MAX, adaptDuplex } = await import('./streams.mjs')

const unlimited = {
  maxInboundStreams: STREAMS_MAX,
  maxOutboundStreams: STREAMS_MAX
}

await runPeer({
  base: import.meta.url,
  adapt: adaptDuplex,
  unpack: ({ stream }) => stream,
  defaults: { dialect: 'seed-js', name: 'mplex-user', muxers: 'mplex' },
  createNode: (_, options) => createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionMonitor: { enabled: !options.streams },
    connectionEncryption: [noise()],
    streamMuxers: [mplex(options.streams ? unlimited : undefined)],
    services: {
      identify: identify(),
      pubsub: gossipsub(gossipSettings(options))
    }
  })
})
