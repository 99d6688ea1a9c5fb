'use strict'
// ioredis 5 (RESP 2) and 6 (RESP 3; records stay flat lists unless it is told otherwise).

const { run, env } = require('./life')

const version = process.argv[2]
const Redis = require(version)

async function connect(port, options = {}) {
  const redis = new Redis(Number(port), '127.0.0.1', { retryStrategy: () => 20, ...options })
  redis.on('error', () => {})  // Told by the calls.
  return wrap(redis)
}

async function replies(commands) {
  return (await commands.exec()).map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}

const calls = (commands) => commands.map((words) => ['call', ...words])

const guarded = (password) => connect(
  env.DRAY_TOKEN_PORT, { password, retryStrategy: () => null, maxRetriesPerRequest: 0 })

function wrap(redis) {
  return {
    maps: false,
    resp3: version === 'ioredis6',
    library: / lib-name=ioredis/,
    call: (...words) => redis.call(...words),
    bytes: (...words) => redis.callBuffer(...words),
    pipeline: (commands) => replies(redis.pipeline(calls(commands))),
    transaction: (commands) => replies(redis.multi(calls(commands))),
    async listen(channel, pattern, heard) {
      const listener = redis.duplicate()
      listener.on('message', heard)
      listener.on('pmessage', (_, from, text) => heard(from, text))
      await listener.subscribe(channel)
      await listener.psubscribe(pattern)
      return async () => listener.disconnect()
    },
    other: (password) => password === undefined ? connect(env.DRAY_PORT) : guarded(password),
    connected: async () => {},  // Calls wait for the connection.
    close: async () => redis.disconnect(),
  }
}

connect(env.DRAY_PORT).then(run)
