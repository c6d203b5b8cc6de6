// The chat dialects of programs that exist: how each one writes a line, and
// what each one shows of the bytes that arrive in its topic.

// The bytes as JSON, or null where they are none.
export function parseJson (data) {
  try {
    return JSON.parse(data)
  } catch {
    return null
  }
}

// The JSON of the JavaScript program p2p-chat: it writes type "broadcast" with
// milliseconds, shows that type only, drops other types without a word, and
// prints a complaint into its prompt where the bytes are not JSON.
const seedJs = {
  encode (text, username) {
    return JSON.stringify({
      type: 'broadcast',
      content: text,
      username,
      timestamp: Date.now()
    })
  },
  show (data) {
    const json = parseJson(data)

    if (json === null) {
      return { shown: null, complaint: 'not JSON' }
    }
    return { shown: json.type === 'broadcast' ? json.content : null }
  }
}

// Bare text, as the universal-connectivity programs speak it.
const plain = {
  encode: (text) => text,
  show: (data) => ({ shown: data })
}

export const dialects = { 'seed-js': seedJs, plain }
