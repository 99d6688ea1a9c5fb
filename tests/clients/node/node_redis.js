'use strict'
// node-redis 4 (RESP 2) and 6 (RESP 3: records are maps).

const { run, env } = require('./life')

const version = process.argv[2]
const { createClient, commandOptions, RESP_TYPES } = require(version)
const resp3 = version === 'redis6'

async function connect(port, options = {}) {
  const socket = { host: '127.0.0.1', port: Number(port), reconnectStrategy: () => 20 }
  const redis = createClient({ ...options, socket: { ...socket, ...options.socket } })
  redis.on('error', () => {})  // Told by the calls.
  await redis.connect()
  return wrap(redis)
}

function bytes(redis, words) {
  if (!resp3) return redis.sendCommand(words, commandOptions({ returnBuffers: true }))
  return redis.sendCommand(words, { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } })
}

async function transaction(redis, commands) {
  const multi = redis.multi()
  for (const words of commands) multi.addCommand(words)
  return multi.exec()
}

function wrap(redis) {
  return {
    maps: resp3,
    resp3,
    library: / lib-name=node-redis/,
    call: (...words) => redis.sendCommand(words),
    bytes: (...words) => bytes(redis, words),
    // Commands of one tick go out together.
    pipeline: (commands) => Promise.all(commands.map((words) => redis.sendCommand(words))),
    transaction: (commands) => transaction(redis, commands),
    async listen(channel, pattern, heard) {
      const listener = redis.duplicate()
      await listener.connect()
      const hear = (text, from) => heard(from, text)
      await listener.subscribe(channel, hear)
      await listener.pSubscribe(pattern, hear)
      return async () => (listener.destroy ? listener.destroy() : listener.disconnect())
    },
    other: (password) => password === undefined
      ? connect(env.DRAY_PORT)
      : connect(env.DRAY_TOKEN_PORT, { password, socket: { reconnectStrategy: false } }),
    connected: async () => {},  // Calls wait for the connection.
    close: async () => (redis.destroy ? redis.destroy() : redis.disconnect()),
  }
}

connect(env.DRAY_PORT).then(run)
