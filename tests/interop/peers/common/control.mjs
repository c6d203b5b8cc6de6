// The control protocol of the JavaScript peers: JSON lines both ways, as
// tests/interop/README.md says. A peer hands in how to make its node; everything
// that does not depend on the libp2p version stands here.
import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { multiaddr } from '@multiformats/multiaddr'
import { dialects, parseJson } from './dialects.mjs'
import { runStreams, serveStreams } from './streams.mjs'

const MINUTE_MS = 60 * 1000
const STOP_MS = 2000

export function emit (event, members) {
  process.stdout.write(JSON.stringify({ event, ...members }) + '\n')
}

// The exact version of every package that the peer asks for by name. `base` is
// the peer's own URL; node_modules stands one folder above it.
function installedVersions (base) {
  const read = (folder) =>
    JSON.parse(readFileSync(new URL(`${folder}/package.json`, base)))
  const wanted = Object.keys(read('..').dependencies)
  const found = wanted.map((name) =>
    [name, read(`../node_modules/${name}`).version])

  return { node: process.version, ...Object.fromEntries(found) }
}

function readOptions (defaults, more) {
  const { values } = parseArgs({
    options: {
      dialect: { type: 'string', default: defaults.dialect },
      topic: { type: 'string', default: 'p2p-chat-default' },
      name: { type: 'string', default: defaults.name },
      muxers: { type: 'string', default: defaults.muxers },
      streams: { type: 'boolean', default: false },
      aloof: { type: 'boolean', default: false },
      px: { type: 'boolean', default: false },
      score: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '10' },
      ...more
    }
  })

  if (dialects[values.dialect] === undefined) {
    throw new Error(`no dialect named ${values.dialect}`)
  }
  return values
}

// What the peer knows about the connections to `peer`, newest last.
function describe (node, peer) {
  const connection = node.getConnections(peer).at(-1)

  return {
    peer: peer.toString(),
    muxer: connection?.multiplexer,
    security: connection?.encryption,
    direction: connection?.direction,
    addr: connection?.remoteAddr.toString()
  }
}

function reportNode (node, dialect) {
  node.addEventListener('peer:connect', ({ detail }) => {
    emit('connected', describe(node, detail))
  })
  node.addEventListener('peer:disconnect', ({ detail }) => {
    emit('disconnected', { peer: detail.toString() })
  })
  node.addEventListener('peer:identify', ({ detail }) => {
    emit('identified', {
      peer: detail.peerId.toString(),
      agent: detail.agentVersion,
      protocols: detail.protocols,
      listen: detail.listenAddrs?.map((addr) => addr.toString()),
      observed: detail.observedAddr?.toString(),
      signed: detail.signedPeerRecord !== undefined
    })
  })
  node.services.pubsub.addEventListener('subscription-change', ({ detail }) => {
    for (const { topic, subscribe } of detail.subscriptions) {
      emit(subscribe ? 'subscribed' : 'unsubscribed', {
        peer: detail.peerId.toString(),
        topic
      })
    }
  })
  for (const what of ['graft', 'prune']) {
    node.services.pubsub.addEventListener(`gossipsub:${what}`, ({ detail }) => {
      emit(what, {
        peer: detail.peerId.toString(),
        topic: detail.topic,
        direction: detail.direction
      })
    })
  }
  node.services.pubsub.addEventListener('message', ({ detail }) => {
    const data = new TextDecoder().decode(detail.data)

    emit('message', {
      from: detail.from?.toString() ?? null,
      topic: detail.topic,
      data,
      json: parseJson(data),
      ...dialect.show(data)
    })
  })
}

// The part of a score that falls to a hundredth in so many seconds.
const decay = (seconds) => Math.pow(0.01, 1 / seconds)

// Scores as the Go peer keeps them (node.go): a topic with deliveries that
// count and bad messages that cost. All that share loopback are one address.
function scoring (topic) {
  return {
    topics: {
      [topic]: {
        topicWeight: 1,
        timeInMeshWeight: 0.01,
        timeInMeshQuantum: 1000,
        timeInMeshCap: 100,
        firstMessageDeliveriesWeight: 0.5,
        firstMessageDeliveriesDecay: decay(60),
        firstMessageDeliveriesCap: 50,
        meshMessageDeliveriesWeight: 0,
        meshFailurePenaltyWeight: 0,
        invalidMessageDeliveriesWeight: -100,
        invalidMessageDeliveriesDecay: decay(3600)
      }
    },
    topicScoreCap: 100,
    IPColocationFactorWhitelist: new Set(['127.0.0.1']),
    behaviourPenaltyWeight: -10,
    behaviourPenaltyDecay: decay(600),
    decayToZero: 0.01
  }
}

// The settings of gossipsub that the flags ask for.
export function gossipSettings ({ aloof, px, score, topic }) {
  return {
    ...(aloof
      ? {
          D: 0,
          Dlo: 0,
          Dhi: 0,
          Dscore: 0,
          Dout: 0,
          floodPublish: false,
          allowPublishToZeroTopicPeers: true
        }
      : {}),
    ...(px
      ? { doPX: true, scoreThresholds: { acceptPXThreshold: 0 } }
      : {}),
    ...(score ? { scoreParams: scoring(topic) } : {})
  }
}

// Makes a peer withhold what it says. With D = 0 the library takes an empty
// mesh for a topic that it is not in: it sends to every peer there (of which 0
// are chosen, which it reads as all), and then tells of nothing by IHAVE.
function withhold (pubsub) {
  pubsub.selectPeersToPublish = () => ({
    tosend: new Set(),
    tosendCount: { direct: 0, floodsub: 0, mesh: 0, fanout: 0 }
  })
}

// The protocols of the gossip streams that are open, theirs and ours.
function gossipStreams (connection) {
  const of = (direction) => connection?.streams.find((stream) =>
    stream.direction === direction &&
    /^\/(meshsub|floodsub)\//.test(stream.protocol))?.protocol ?? null

  return { gossip_out: of('outbound'), gossip_in: of('inbound') }
}

// What is known of a peer now, however it was told.
async function known (node, id) {
  const { addresses, protocols, metadata } = await node.peerStore.get(id)
  const agent = metadata.get('AgentVersion')

  emit('identified', {
    peer: id.toString(),
    agent: agent === undefined ? null : new TextDecoder().decode(agent),
    protocols,
    listen: addresses.map(({ multiaddr }) => multiaddr.toString())
  })
}

function makeCommands (node, options, adapt) {
  const publish = async (text) => {
    const { recipients } = await node.services.pubsub.publish(options.topic,
      new TextEncoder().encode(text))

    if (options.aloof && recipients.length > 0) {
      throw new Error(`not withheld from ${recipients.join(' ')}`)
    }
  }
  const connected = (text) => {
    const peer = node.getPeers().find((id) => id.toString() === text)

    if (peer === undefined) {
      throw new Error(`not connected to ${text}`)
    }
    return peer
  }

  return {
    dial: async ({ addr }) => {
      await node.dial(multiaddr(addr), { signal: AbortSignal.timeout(10000) })
    },
    say: async ({ text }) => {
      await publish(dialects[options.dialect].encode(text, options.name))
    },
    raw: async ({ data }) => {
      await publish(data)
    },
    ping: async ({ peer }) => {
      if (node.services.ping === undefined) {
        throw new Error('this program has no ping')
      }
      const ms = await node.services.ping.ping(connected(peer), {
        signal: AbortSignal.timeout(10000)
      })
      emit('pong', { peer, ms })
    },
    stats: async ({ peer }) => {
      const pubsub = node.services.pubsub

      emit('stats', {
        peer,
        score: pubsub.getScore(peer),
        penalty: pubsub.dumpPeerScoreStats()[peer]?.behaviourPenalty ?? null,
        mesh: pubsub.getMeshPeers(options.topic).includes(peer),
        stream: pubsub.streamsOutbound.has(peer),
        ...gossipStreams(node.getConnections().find((connection) =>
          connection.remotePeer.toString() === peer))
      })
    },
    stream: async (request) => {
      const connection = node.getConnections(connected(request.peer)).at(-1)

      emit('stream_done', await runStreams(connection, adapt, request))
    },
    known: async ({ peer }) => {
      await known(node, connected(peer))
    },
    push: async () => {
      await node.handle('/p2pchat-test/pushed/1', () => {})
    },
    leave: async () => {
      node.services.pubsub.unsubscribe(options.topic)
    },
    join: async () => {
      node.services.pubsub.subscribe(options.topic)
    },
    hangup: async ({ peer }) => {
      await node.hangUp(connected(peer))
    }
  }
}

async function stop (node) {
  // A node that does not stop in time is ended all the same.
  setTimeout(() => process.exit(0), STOP_MS).unref()
  await node.stop()
  process.exit(0)
}

// Commands run one after the other, so that lines go out in the order said. A
// command that fails is reported and does not end the peer.
async function obey (node, options, adapt) {
  const commands = makeCommands(node, options, adapt)

  for await (const line of createInterface({ input: process.stdin })) {
    const request = parseJson(line)

    if (request?.cmd === 'quit') {
      break
    }
    try {
      await commands[request.cmd](request)
      emit('done', { cmd: request.cmd })
    } catch (err) {
      emit('error', { cmd: request?.cmd, text: String(err?.message ?? err) })
    }
  }
}

// Runs a peer until its stdin ends. `base` is import.meta.url of the peer's
// program; `options` are further options of that peer; `createNode` takes the
// names of the muxers to offer, in order, and the values of all options, and
// gives a started node with a `pubsub` service; `adapt` and `unpack` are for
// test streams (streams.mjs).
export async function runPeer (peer) {
  const { base, defaults, options: more, createNode, unpack } = peer

  const options = readOptions(defaults, more)

  // No peer outlives the test that forgot it.
  setTimeout(() => process.exit(3), options.minutes * MINUTE_MS).unref()
  const names = options.muxers.split(',')
  const adapt = (stream) => peer.adapt(stream, !names.includes('mplex'))
  const node = await createNode(names, options)

  reportNode(node, dialects[options.dialect])
  if (options.aloof) {
    withhold(node.services.pubsub)
  }
  if (options.streams) {
    await serveStreams(node, adapt, unpack)
  }
  node.services.pubsub.subscribe(options.topic)
  emit('ready', {
    peer_id: node.peerId.toString(),
    addrs: node.getMultiaddrs().map((addr) => addr.toString()),
    dialect: options.dialect,
    topic: options.topic,
    versions: installedVersions(base)
  })
  await obey(node, options, adapt)
  await stop(node)
}
