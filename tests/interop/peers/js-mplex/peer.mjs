// A js-libp2p 1.x peer with what the JavaScript program p2p-chat is made of:
// TCP, Noise, Mplex as the only muxer, identify, and no ping.
import './polyfill.mjs'

const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { noise } = await import('@chainsafe/libp2p-noise')
const { mplex } = await import('@libp2p/mplex')
const { identify } = await import('@libp2p/identify')
const { gossipsub } = await import('@chainsafe/libp2p-gossipsub')
const { runPeer } = await import('./control.mjs')

await runPeer({
  base: import.meta.url,
  defaults: { dialect: 'seed-js', name: 'mplex-user', muxers: 'mplex' },
  createNode: () => createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncryption: [noise()],
    streamMuxers: [mplex()],
    services: { identify: identify(), pubsub: gossipsub() }
  })
})
