'use strict'
// A job's whole life, in terms of what the two families of node clients have in common. `client` is
//   call(...words)          the reply, strings as strings
//   bytes(...words)         the reply, strings as Buffers
//   pipeline(commands)      their replies, of commands sent without waiting
//   transaction(commands)   their replies, of commands between MULTI and EXEC; throws if it fails
//   listen(channel, pattern, heard)  subscribes; heard(channel, text); returns what ends it
//   other(password)         a connected client of its own; without words: to the same server
//   close(), connected()
//   maps                    whether records come as maps (RESP 3), or as flat lists

const assert = require('assert/strict')
const readline = require('readline')

const env = process.env
// Any byte, and what looks like the protocol itself.
const NASTY = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  Buffer.from('\r\n$5\r\nhello\r\n*1\r\n\0'),
])

const say = (line) => process.stdout.write(line + '\n')

async function restartServer() {
  const lines = readline.createInterface({ input: process.stdin })
  say('restart')
  const [answer] = await require('events').once(lines, 'line')
  lines.close()
  assert.equal(answer, 'restarted')
}

// A record as a plain object, whatever the protocol's version and the library make of it.
function record(reply) {
  if (reply instanceof Map) return Object.fromEntries([...reply].map(([k, v]) => [String(k), v]))
  if (!Array.isArray(reply)) return reply
  const pairs = []
  for (let i = 0; i < reply.length; i += 2) pairs.push([String(reply[i]), reply[i + 1]])
  return Object.fromEntries(pairs)
}

// Waits until `look` finds something; each look asks the server, and time passes with that.
async function until(look) {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await look()
    if (found) return found
    assert(Date.now() < deadline, 'waited too long')
  }
}

function checks(client) {
  const call = client.call
  const fetch = async (queue, ...options) =>
    (await call('JOB.FETCH', 'node', ...options, 'QUEUES', '1', queue)).map(record)
  const fetchOne = async (queue, ...options) => {
    const leases = await fetch(queue, ...options)
    assert.equal(leases.length, 1)
    return leases[0]
  }
  const stats = async (queue) => record(await call('QUEUE.STATS', queue))
  const refused = (code, ...words) => assert.rejects(call(...words), (error) => {
    assert.match(error.message, code)
    return true
  })

  return {
    async connect() {
      assert.equal(await call('PING'), 'PONG')
      assert.ok(Number(await call('CLIENT', 'ID')) > 0)
      assert.match(await call('INFO'), /redis_version:[0-9.]+/)
      const mine = await call('CLIENT', 'INFO')
      assert.match(mine, client.library)
      assert.match(mine, client.maps || client.resp3 ? / resp=3 / : / resp=2 /)
    },

    async 'push, fetch, beat, progress, ack'() {
      const id = await call(
        'JOB.PUSH', 'life', 'Send', '{"to":1}', 'PRIORITY', '7', 'META', '1', 'k', 'v')
      assert.equal(id.length, 13)
      const reply = await call('JOB.FETCH', 'node', 'QUEUES', '1', 'life')
      assert.equal(Array.isArray(reply[0]), !client.maps, 'the form of a record')
      const lease = record(reply[0])
      assert.deepEqual([lease.id, lease.type, lease.args, lease.attempt, lease.priority],
        [id, 'Send', '{"to":1}', 1, 7])
      assert.deepEqual({ ...record(lease.meta) }, { k: 'v' })
      const beat = record(await call('WORKER.BEAT', 'node', 'LEASES', '1', id, lease.token))
      assert.deepEqual([beat.state, beat.cancel, beat.lost], ['run', [], []])
      assert.equal(record(await call('JOB.PROGRESS', id, lease.token, '{"pct":50}')).cancelled, 0)
      assert.equal(record(await call('JOB.EXTEND', id, lease.token, '60000')).lease_ms, 60000)
      const running = record(await call('JOB.GET', id))
      assert.deepEqual([running.state, running.progress], ['running', '{"pct":50}'])
      assert.equal(await call('JOB.ACK', id, lease.token, 'RESULT', 'sent'), 'OK')
      const [over] = (await call('JOB.WAIT', '1', id, 'BLOCK', '1000')).map(record)
      assert.deepEqual([over.state, over.result], ['succeeded', 'sent'])
      assert.equal(await call('JOB.GET', 'key:nobody'), null)
    },

    async 'blocking fetch'() {
      const waiter = await client.other()
      const waiting = waiter.call('JOB.FETCH', 'node', 'BLOCK', '20000', 'QUEUES', '1', 'blocked')
      await until(async () => / ?blocked_clients:1\r/.test(await call('INFO')))
      const id = await call('JOB.PUSH', 'blocked', 'T', 'late')
      const [lease] = (await waiting).map(record)
      assert.deepEqual([lease.id, lease.args], [id, 'late'])
      assert.equal(await call('JOB.ACK', id, lease.token), 'OK')
      assert.deepEqual(await fetch('blocked', 'BLOCK', '10'), [])
      await waiter.close()
    },

    async 'fail and retry'() {
      const id = await call('JOB.PUSH', 'retry', 'T', '{}', 'ATTEMPTS', '2')
      const first = await fetchOne('retry')
      const failed = record(
        await call('JOB.FAIL', id, first.token, 'TypeError', 'no luck', 'RETRYIN', '0'))
      assert.deepEqual([failed.state, failed.attempt], ['ready', 1])
      const second = await fetchOne('retry', 'BLOCK', '5000')
      assert.equal(second.attempt, 2)
      await call('JOB.FAIL', id, second.token, 'TypeError', 'again', 'TRACE', 'line 1\nline 2')
      const dead = record(await call('JOB.GET', id))
      assert.equal(dead.state, 'dead')
      assert.deepEqual(dead.history.map((entry) => record(entry).message), ['no luck', 'again'])
      assert.deepEqual(await call('JOB.RETRY', 'IDS', '1', id), ['OK'])
      const third = await fetchOne('retry', 'BLOCK', '5000')
      assert.equal(third.fence, 3)
      assert.deepEqual(await call('JOB.MACK', '1', id, third.token, '1', 'at last'), ['OK'])
    },

    async 'queue stats'() {
      const { pushed, started, failed, succeeded, died, ready } = await stats('retry')
      assert.deepEqual([pushed, started, failed, succeeded, died, ready], [1, 3, 2, 1, 1, 0])
      assert.ok((await call('QUEUE.LIST')).includes('retry'))
    },

    async 'pause and resume'() {
      assert.equal(await call('QUEUE.PAUSE', 'pause', 'REASON', 'a test'), 'OK')
      const id = await call('JOB.PUSH', 'pause', 'T', '{}')
      assert.deepEqual(await fetch('pause'), [])
      assert.equal((await stats('pause')).paused, 1)
      assert.equal(await call('QUEUE.RESUME', 'pause'), 'OK')
      const lease = await fetchOne('pause')
      assert.equal(await call('JOB.RELEASE', id, lease.token), 'OK')
      const again = await fetchOne('pause')
      assert.equal(again.attempt, 1)
      assert.equal(await call('WORKER.BYE', 'node', 'LEASES', '1', id, again.token), 'OK')
      assert.deepEqual(await call('JOB.CANCEL', 'IDS', '1', id), ['OK'])
      assert.deepEqual(await call('JOB.DELETE', 'IDS', '1', id), ['OK'])
    },

    async errors() {
      const id = await call('JOB.PUSH', 'errors', 'T', '{}')
      const { token } = await fetchOne('errors')
      const stale = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')
      await refused(/^LEASELOST /, 'JOB.ACK', id, stale)
      await refused(/^BADREQ field=OPTION .*did you mean DELAY/,
        'JOB.PUSH', 'q', 'T', '{}', 'DELYA', '1')
      await refused(/^NOTYET /, 'JOB.WHY', id)
      await refused(/^ERR unknown command 'NOSUCH'/, 'NOSUCH', 'a')
      await refused(/^ERR dray is not Redis: .*BullMQ cannot run/,
        'LPUSH', 'bull:mail:wait', '1')
      await refused(/^ERR dray is not Redis: .*JOB\.PUSH/, 'EVAL', 'return 1', '0')
      await refused(/^ERR wrong number of arguments/, 'JOB.PUSH', 'q')
      await refused(/^TOOBIG /, 'JOB.PUSH', 'q', 'T', 'x'.repeat((1 << 20) + 1))
      assert.equal(await call('PING'), 'PONG')
    },

    async 'pipeline of 1,000'() {
      const commands = Array.from({ length: 1000 }, (_, n) => ['JOB.PUSH', 'many', 'T', String(n)])
      const ids = await client.pipeline(commands)
      assert.equal(new Set(ids).size, 1000)
      assert.deepEqual(ids, [...ids].sort())
      const leases = await fetch('many', 'COUNT', '1000')
      assert.deepEqual(leases.map((lease) => lease.args), commands.map((words) => words[3]))
      const items = leases.flatMap((lease) => [lease.id, lease.token, '0', ''])
      assert.deepEqual(await call('JOB.MACK', '1000', ...items), Array(1000).fill('OK'))
    },

    async keys() {
      assert.equal(await call('SET', 'node:k', 'v', 'EX', '100', 'NX'), 'OK')
      assert.equal(await call('SET', 'node:k', 'w', 'NX'), null)
      assert.equal(await call('SET', 'node:k', 'w', 'GET', 'KEEPTTL'), 'v')
      assert.equal(await call('GET', 'node:k'), 'w')
      assert.equal(await call('TTL', 'node:k'), 100)
      assert.equal(await call('INCRBY', 'node:n', '41'), 41)
      await refused(/not an integer/, 'INCR', 'node:k')
      const seen = []
      let cursor = '0'
      do {
        const [next, names] = await call('SCAN', cursor, 'MATCH', 'node:*', 'COUNT', '1')
        cursor = String(next)
        seen.push(...names)
      } while (cursor !== '0')
      assert.deepEqual(seen.sort(), ['node:k', 'node:n'])
      const [set, sum] = await client.transaction([
        ['SET', 'node:k', '1'], ['INCR', 'node:n'], ['JOB.PUSH', 'keys', 'T', '{}']])
      assert.deepEqual([set, sum], ['OK', 42])
      assert.equal(await call('DEL', 'node:k', 'node:n'), 2)
    },

    async transaction() {
      const id = await call('JOB.PUSH', 'tx', 'T', '{}')
      const { token } = await fetchOne('tx')
      const [acked, next] = await client.transaction([
        ['JOB.ACK', id, token], ['JOB.PUSH', 'tx', 'Next', '{}']])
      assert.equal(acked, 'OK')
      assert.equal(next.length, 13)
      await assert.rejects(client.transaction([
        ['JOB.PUSH', 'tx', 'Never', '{}'], ['JOB.ACK', next, token]]), /EXECABORT index=1/)
      assert.equal((await stats('tx')).pushed, 2)
    },

    async 'any byte'() {
      const id = await call('JOB.PUSH', 'bytes', 'T', NASTY)
      const [lease] = (await client.bytes('JOB.FETCH', 'node', 'QUEUES', '1', 'bytes')).map(record)
      assert.deepEqual(lease.args, NASTY)
      await call('JOB.ACK', id, lease.token, 'RESULT', NASTY)
      assert.deepEqual(record(await client.bytes('JOB.GET', id)).result, NASTY)
    },

    async events() {
      const heard = []
      const close = await client.listen('job.pushed.heard', 'job.*.heard',
        (channel, json) => heard.push([channel, JSON.parse(json).job]))
      const id = await call('JOB.PUSH', 'heard', 'T', '{}')
      await until(async () => (await call('PING')) && heard.length === 2)
      assert.deepEqual(heard, [['job.pushed.heard', id], ['job.pushed.heard', id]])
      await close()
    },

    async authentication() {
      await assert.rejects(async () => {
        const stranger = await client.other('wrong')
        try {
          await stranger.call('JOB.PUSH', 'q', 'T', '{}')
        } finally {
          await stranger.close()
        }
      }, /WRONGPASS|NOAUTH/)
      const friend = await client.other(env.DRAY_TOKEN)
      assert.equal((await friend.call('JOB.PUSH', 'q', 'T', '{}')).length, 13)
      await friend.close()
    },

    async reconnect() {
      const id = await call('JOB.PUSH', 'kept', 'T', '{}')
      await restartServer()
      const job = await until(async () => {
        await client.connected()
        return call('JOB.GET', id).catch(() => null)  // The old connection may still be going.
      })
      assert.equal(record(job).state, 'ready')
      assert.equal((await fetchOne('kept')).id, id)
    },
  }
}

async function run(client) {
  for (const [name, check] of Object.entries(checks(client))) {
    try {
      await check()
      say(`passed ${name}`)
    } catch (error) {
      const place = /life\.js:(\d+)/.exec(error.stack || '')
      const text = String(error.message).replace(/\s+/g, ' ')
      say(`failed ${name}: ${text} (line ${place && place[1]})`)
    }
  }
  await client.close()
  say('done')
  process.stdin.destroy()
}

module.exports = { run, env }
