// The test streams of tests/interop/README.md, both sides. What differs between
// js-libp2p 1.x and 3.x stands in the two adapters: each gives an object with
// `chunks` (what arrives, until the end), write, closeWrite and reset.
import { createHash } from 'node:crypto'

const NAMES = ['echo', 'sink', 'source', 'reset', 'fill']
const CHUNK = 65536
const CHUNKS_WAITING = 64
export const PROTOCOLS = Object.fromEntries(
  NAMES.map((name) => [name, `/p2pchat-test/${name}/1`]))
export const STREAMS_MAX = 4096

// Its own iterator never ends where the other side had closed before somebody
// looked, so what arrives is taken by events here. Only a muxer with flow control
// may be paused: Mplex resets the stream once 4 MB have come all the same.
async function * chunksOf (stream, pausable) {
  // What came along with the negotiation is put back behind the end.
  const ended = () => stream.readableEnded && stream.readBufferLength === 0
  const waiting = []
  let over = ended()
  let wake = () => {}

  stream.addEventListener('message', ({ data }) => {
    waiting.push(data)
    over ||= ended()
    if (pausable && waiting.length > CHUNKS_WAITING &&
        stream.readStatus === 'readable') {
      stream.pause()
    }
    wake()
  })
  for (const event of ['end', 'close']) {
    // A reset tells of the end first.
    stream.addEventListener(event, () => setTimeout(() => {
      over ||= ended() || stream.status !== 'open'
      wake()
    }))
  }
  while (true) {
    while (waiting.length > 0) {
      yield waiting.shift()
    }
    if (stream.readStatus === 'paused') {
      stream.resume()
    }
    if (over && waiting.length === 0) {
      break
    }
    if (waiting.length === 0) {
      await new Promise((resolve) => { wake = resolve })
    }
  }
  if (['reset', 'aborted'].includes(stream.status)) {
    throw new Error(`stream was ${stream.status === 'reset' ? 'reset' : 'cut'}`)
  }
}

// js-libp2p 3: a stream is sent to, and tells of what arrives.
export function adaptStream (stream, pausable) {
  return {
    chunks: chunksOf(stream, pausable),
    write: async (bytes) => {
      if (!stream.send(bytes)) {
        await stream.onDrain()
      }
    },
    closeWrite: () => stream.close(),
    reset: () => stream.abort(new Error('reset as asked'))
  }
}

// js-libp2p 1: a stream has a source, and a sink that reads an iterable.
export function adaptDuplex (stream) {
  const waiting = []
  let wake = () => {}
  let taken = () => {}
  let closed = false
  const feed = async function * () {
    while (true) {
      while (waiting.length > 0) {
        yield waiting.shift()
        taken()
      }
      if (closed) {
        return
      }
      await new Promise((resolve) => { wake = resolve })
    }
  }
  let failed = null
  const sunk = stream.sink(feed()).catch((err) => { failed = err; taken() })

  return {
    chunks: stream.source,
    write: async (bytes) => {
      waiting.push(bytes)
      wake()
      while (waiting.length > 4 && failed === null) {
        await new Promise((resolve) => { taken = resolve })
      }
    },
    closeWrite: async () => {
      closed = true
      wake()
      await sunk
    },
    reset: () => stream.abort(new Error('reset as asked'))
  }
}

function pattern (offset, length) {
  const bytes = new Uint8Array(length)

  for (let k = 0; k < length; k++) {
    const i = offset + k

    bytes[k] = i ^ (i >> 8) ^ (i >> 16)
  }
  return bytes
}

async function writePattern (stream, from, to) {
  for (let at = from; at < to; at += CHUNK) {
    await stream.write(pattern(at, Math.min(CHUNK, to - at)))
  }
}

// Two rounds of what the fill protocol carries.
const fillRounds = new Uint8Array(2 * CHUNK)

fillRounds.set(pattern(0, CHUNK))
fillRounds.copyWithin(CHUNK, 0, CHUNK)

async function writeFill (stream, length) {
  for (let left = length; left > 0; left -= CHUNK) {
    await stream.write(fillRounds.subarray(0, Math.min(CHUNK, left)))
  }
}

async function readFill (stream) {
  let count = 0
  let same = true

  for await (const chunk of stream.chunks) {
    // A list of views, or one: no bytes are moved.
    for (const view of chunk instanceof Uint8Array ? [chunk] : chunk) {
      for (let at = 0; at < view.length; at += CHUNK) {
        const part = view.subarray(at, at + CHUNK)
        const from = count % CHUNK

        same &&= Buffer.compare(part,
          fillRounds.subarray(from, from + part.length)) === 0
        count += part.length
      }
    }
  }
  return { count, same }
}

function patternSum (length) {
  const hash = createHash('sha256')

  for (let at = 0; at < length; at += CHUNK) {
    hash.update(pattern(at, Math.min(CHUNK, length - at)))
  }
  return hash.digest('hex')
}

async function readAll (stream) {
  const hash = createHash('sha256')
  let count = 0

  for await (const chunk of stream.chunks) {
    const bytes = chunk.subarray()

    hash.update(bytes)
    count += bytes.length
  }
  return { count, sha256: hash.digest('hex') }
}

// ---- the side that accepts

// Reads how much is wanted, sends that, and reads on to the end.
async function serveLength (stream, send) {
  let length = 0
  let shift = 1
  let known = false
  let sending = Promise.resolve()

  for await (const chunk of stream.chunks) {
    for (const byte of chunk.subarray()) {
      if (known) {
        continue
      }
      length += (byte & 127) * shift
      shift *= 128
      known = byte < 128
      if (known) {
        sending = send(length)
          .then(() => stream.closeWrite())
          .catch(() => {})
      }
    }
  }
  await sending
}

const serve = {
  echo: async (stream) => {
    for await (const chunk of stream.chunks) {
      await stream.write(chunk.slice())
    }
    await stream.closeWrite()
  },
  sink: async (stream) => {
    const { count, sha256 } = await readAll(stream)

    await stream.write(new TextEncoder().encode(`${count} ${sha256}\n`))
    await stream.closeWrite()
  },
  source: async (stream) => serveLength(stream,
    (length) => writePattern(stream, 0, length)),
  fill: async (stream) => serveLength(stream,
    (length) => writeFill(stream, length)),
  reset: async (stream) => {
    for await (const chunk of stream.chunks) {
      if (chunk.byteLength > 0) {
        stream.reset()
        return
      }
    }
  }
}

// `unpack` makes of a handler's arguments the stream.
export async function serveStreams (node, adapt, unpack) {
  for (const name of NAMES) {
    await node.handle(PROTOCOLS[name], (...args) => {
      serve[name](adapt(unpack(...args))).catch(() => {})
    }, { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX })
  }
}

// ---- the side that opens

function right (held, text) {
  if (!held) {
    throw new Error(text)
  }
}

function uvarint (number) {
  const head = []

  for (; number > 127; number = Math.floor(number / 128)) {
    head.push((number % 128) | 128)
  }
  return Uint8Array.from([...head, number])
}

const open = {
  // `gate` is called when the first byte is back, and waits for the others.
  echo: async (stream, bytes, gate) => {
    const hash = createHash('sha256')
    let count = 0
    const send = async (from, to) => {
      await writePattern(stream, from, to)
      if (to === bytes) {
        await stream.closeWrite()
      }
    }
    let sending = send(0, gate === null ? bytes : 1)

    sending.catch(() => {})
    for await (const chunk of stream.chunks) {
      const first = count === 0

      hash.update(chunk.subarray())
      count += chunk.byteLength
      if (first && gate !== null) {
        await gate()
        sending = bytes > 1 ? send(1, bytes) : stream.closeWrite()
        sending.catch(() => {})
      }
    }
    await sending
    const sha256 = patternSum(bytes)

    right(count === bytes, `${count} bytes came back`)
    right(hash.digest('hex') === sha256, 'other bytes came back')
    return sha256
  },
  sink: async (stream, bytes) => {
    const sha256 = patternSum(bytes)
    let text = ''

    await writePattern(stream, 0, bytes)
    await stream.closeWrite()
    for await (const chunk of stream.chunks) {
      text += new TextDecoder().decode(chunk.subarray())
    }
    right(text === `${bytes} ${sha256}\n`, `answer ${text}`)
    return sha256
  },
  source: async (stream, bytes) => {
    const sha256 = patternSum(bytes)

    await stream.write(uvarint(bytes))
    const got = await readAll(stream)

    right(got.count === bytes, `${got.count} bytes came`)
    right(got.sha256 === sha256, 'other bytes came')
    await stream.closeWrite()
    return sha256
  },
  fill: async (stream, bytes) => {
    await stream.write(uvarint(bytes))
    const { count, same } = await readFill(stream)

    right(count === bytes, `${count} bytes came`)
    right(same, 'other bytes came')
    await stream.closeWrite()
    return null
  },
  reset: async (stream) => {
    await stream.write(Uint8Array.of(114))
    for await (const chunk of stream.chunks) {
      right(chunk.byteLength === 0, 'bytes came')
    }
    throw new Error('an end instead of a reset')
  }
}

const isReset = (err) => /reset/i.test(`${err?.name} ${err?.code} ${err}`) &&
  !/instead of/.test(String(err))

// Calls back once `count` callers wait; a caller that fails counts as well.
function makeGate (count) {
  let release
  const all = new Promise((resolve) => { release = resolve })
  const arrive = () => {
    if (--count === 0) {
      release()
    }
    return all
  }

  return arrive
}

// Runs a `stream` command and gives the members of its `stream_done`.
export async function runStreams (connection, adapt, request) {
  const { peer, proto, bytes = 0, count = 1, width = count } = request
  const name = NAMES.find((known) => PROTOCOLS[known] === proto)
  const gate = width === 0 && name === 'echo' ? makeGate(count) : null
  const done = { peer, proto, count, bytes, ok: 0, failed: 0, reset: 0 }
  const began = performance.now()
  let next = 0
  let now = 0
  let sha256 = null
  let text = null

  Object.assign(done, { open: 0 })
  const one = async () => {
    let passed = gate === null

    try {
      done.open = Math.max(done.open, ++now)
      const raw = await connection.newStream(proto, {
        maxOutboundStreams: STREAMS_MAX,
        signal: AbortSignal.timeout(120000)
      })
      const stream = adapt(raw)

      if (name === undefined) {
        stream.reset()
      } else {
        sha256 = await open[name](stream, bytes,
          gate && (() => { passed = true; return gate() })) ?? sha256
      }
      done.ok++
    } catch (err) {
      const reset = isReset(err)

      done.reset += reset ? 1 : 0
      if (name === 'reset' && reset) {
        done.ok++
      } else {
        done.failed++
        text ??= String(err?.message ?? err)
      }
    } finally {
      now--
      if (!passed) {
        gate()
      }
    }
  }
  const work = async () => {
    while (next < count) {
      next++
      await one()
    }
  }

  await Promise.all(Array.from({ length: width === 0 ? count : width }, work))
  return {
    ...done,
    ms: Math.round(performance.now() - began),
    sha256: name === 'reset' ? null : sha256,
    text
  }
}
