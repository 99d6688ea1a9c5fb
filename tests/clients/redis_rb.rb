# frozen_string_literal: true

# redis-rb (Debian's, RESP 2) as a client of Dray.
require "redis"

$stdout.sync = true
HOST = "127.0.0.1"
PORT = ENV.fetch("DRAY_PORT").to_i
TOKEN_PORT = ENV.fetch("DRAY_TOKEN_PORT").to_i
TOKEN = ENV.fetch("DRAY_TOKEN")
# Any byte, and what looks like the protocol itself.
NASTY = ((0..255).to_a.pack("C*") + "\r\n$5\r\nhello\r\n*1\r\n\0").b

CLIENT = Redis.new(host: HOST, port: PORT, id: "life", reconnect_attempts: 5)

def call(*words)
  CLIENT.call(*words)
end

# The flat list of fields and values that RESP 2 makes of a map.
def record(flat)
  flat.each_slice(2).to_h { |field, value| [field.to_sym, value] }
end

def fetch(queue, *options, through: CLIENT)
  through.call("JOB.FETCH", "rb", *options, "QUEUES", 1, queue).map { |lease| record(lease) }
end

def fetch_one(queue, *options)
  leases = fetch(queue, *options)
  equal(leases.size, 1)
  leases.first
end

def equal(got, wanted)
  raise "got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

def refused(pattern, *words)
  answer = CLIENT.call(*words)
  raise "no error: #{answer.inspect}"
rescue Redis::CommandError => e
  raise "got #{e.message}, wanted #{pattern}" unless e.message.match?(pattern)
end

def check(name)
  yield
  puts "passed #{name}"
rescue StandardError => e
  text = e.message.gsub(/\s+/, " ")
  puts "failed #{name}: #{e.class}: #{text} (#{e.backtrace.first[/\w+\.rb:\d+/]})"
end

check "connect" do
  equal(CLIENT.ping, "PONG")
  equal(CLIENT.info["loading"], "0")
  equal(call("CLIENT", "SETNAME", "life"), "OK")
  equal(call("CLIENT", "GETNAME"), "life")
  equal(CLIENT.time.size, 2)
end

check "push, fetch, beat, progress, ack" do
  id = call("JOB.PUSH", "life", "Send", '{"to":1}', "PRIORITY", 7, "META", 1, "trace", "abc")
  equal(id.size, 13)
  lease = fetch_one("life")
  equal(lease.values_at(:id, :type, :args, :attempt, :priority, :meta),
        [id, "Send", '{"to":1}', 1, 7, %w[trace abc]])
  beat = record(call("WORKER.BEAT", "rb", "LEASES", 1, id, lease[:token]))
  equal(beat, { state: "run", cancel: [], lost: [] })
  equal(record(call("JOB.PROGRESS", id, lease[:token], '{"pct":50}'))[:cancelled], 0)
  equal(record(call("JOB.EXTEND", id, lease[:token], 60_000))[:lease_ms], 60_000)
  equal(record(call("JOB.GET", id)).values_at(:state, :progress), ["running", '{"pct":50}'])
  equal(call("JOB.ACK", id, lease[:token], "RESULT", "sent"), "OK")
  over = record(call("JOB.WAIT", 1, id, "BLOCK", 1000).first)
  equal(over.values_at(:state, :result), %w[succeeded sent])
  equal(call("JOB.GET", "key:nobody"), nil)
end

check "blocking fetch" do
  waiter = Redis.new(host: HOST, port: PORT, read_timeout: 30)
  thread = Thread.new { fetch("blocked", "BLOCK", 20_000, through: waiter) }
  Thread.pass while CLIENT.info["blocked_clients"] == "0"
  id = call("JOB.PUSH", "blocked", "T", "late")
  lease = thread.value.first
  equal(lease.values_at(:id, :args), [id, "late"])
  equal(call("JOB.ACK", id, lease[:token]), "OK")
  equal(fetch("blocked", "BLOCK", 10), [])
end

check "fail and retry" do
  id = call("JOB.PUSH", "retry", "T", "{}", "ATTEMPTS", 2)
  first = fetch_one("retry")
  failed = record(call("JOB.FAIL", id, first[:token], "ArgumentError", "no luck", "RETRYIN", 0))
  equal(failed.values_at(:state, :attempt), ["ready", 1])
  second = fetch_one("retry", "BLOCK", 4_000)
  equal(second[:attempt], 2)
  call("JOB.FAIL", id, second[:token], "ArgumentError", "again", "TRACE", "line 1\nline 2")
  dead = record(call("JOB.GET", id))
  equal(dead[:state], "dead")
  equal(dead[:history].map { |entry| record(entry)[:message] }, ["no luck", "again"])
  equal(call("JOB.RETRY", "IDS", 1, id), ["OK"])
  third = fetch_one("retry", "BLOCK", 4_000)
  equal(third[:fence], 3)
  equal(call("JOB.MACK", 1, id, third[:token], 1, "at last"), ["OK"])
end

check "queue stats" do
  stats = record(call("QUEUE.STATS", "retry"))
  equal(stats.values_at(:pushed, :started, :failed, :succeeded, :died, :ready), [1, 3, 2, 1, 1, 0])
  equal(call("QUEUE.LIST").include?("retry"), true)
end

check "pause and resume" do
  equal(call("QUEUE.PAUSE", "pause", "REASON", "a test"), "OK")
  id = call("JOB.PUSH", "pause", "T", "{}")
  equal(fetch("pause"), [])
  equal(record(call("QUEUE.STATS", "pause"))[:paused], 1)
  equal(call("QUEUE.RESUME", "pause"), "OK")
  equal(call("JOB.RELEASE", id, fetch_one("pause")[:token]), "OK")
  again = fetch_one("pause")
  equal(again[:attempt], 1)
  equal(call("WORKER.BYE", "rb", "LEASES", 1, id, again[:token]), "OK")
  equal(call("JOB.CANCEL", "IDS", 1, id), ["OK"])
  equal(call("JOB.DELETE", "IDS", 1, id), ["OK"])
end

check "errors" do
  id = call("JOB.PUSH", "errors", "T", "{}")
  token = fetch_one("errors")[:token]
  stale = token[0..-2] + (token.end_with?("0") ? "1" : "0")
  refused(/\ALEASELOST /, "JOB.ACK", id, stale)
  refused(/\ABADREQ field=OPTION .*did you mean DELAY/, "JOB.PUSH", "q", "T", "{}", "DELYA", 1)
  refused(/\ANOTYET /, "JOB.WHY", id)
  refused(/\AERR unknown command 'NOSUCH'/, "NOSUCH", "a")
  refused(%r{\AERR dray is not Redis: .*Sidekiq cannot run}, "LPUSH", "queue:default", "1")
  refused(/\AERR wrong number of arguments/, "JOB.PUSH", "q")
  refused(/\ATOOBIG /, "JOB.PUSH", "q", "T", "x" * ((1 << 20) + 1))
  equal(CLIENT.ping, "PONG")
end

check "pipeline of 1,000" do
  ids = CLIENT.pipelined { |pipe| 1_000.times { |n| pipe.call("JOB.PUSH", "many", "T", n) } }
  equal(ids.uniq.size, 1_000)
  equal(ids, ids.sort)
  leases = fetch("many", "COUNT", 1_000)
  equal(leases.map { |lease| lease[:args] }, (0...1_000).map(&:to_s))
  items = leases.flat_map { |lease| [lease[:id], lease[:token], 0, ""] }
  equal(call("JOB.MACK", 1_000, *items), ["OK"] * 1_000)
end

check "transaction" do
  id = call("JOB.PUSH", "tx", "T", "{}")
  token = fetch_one("tx")[:token]
  acked, following = CLIENT.multi do |pipe|
    pipe.call("JOB.ACK", id, token)
    pipe.call("JOB.PUSH", "tx", "Next", "{}")
  end
  equal([acked, following.size], ["OK", 13])
  begin
    CLIENT.multi do |pipe|
      pipe.call("JOB.PUSH", "tx", "Never", "{}")
      pipe.call("JOB.ACK", following, token)
    end
    raise "applied"
  rescue Redis::CommandError => e
    raise e unless e.message.match?(/\AEXECABORT index=1/)
  end
  equal(record(call("QUEUE.STATS", "tx"))[:pushed], 2)
end

check "any byte" do
  id = call("JOB.PUSH", "bytes", "T", NASTY)
  lease = fetch_one("bytes")
  equal(lease[:args].b, NASTY)
  call("JOB.ACK", id, lease[:token], "RESULT", NASTY)
  equal(record(call("JOB.GET", id))[:result].b, NASTY)
end

check "events" do
  listener = Redis.new(host: HOST, port: PORT)
  heard = []
  listener.psubscribe("job.*.heard") do |on|
    on.psubscribe { call("JOB.PUSH", "heard", "T", "{}") }
    on.pmessage do |pattern, channel, json|
      heard << [pattern, channel, json[/"event":"\w+"/]]
      listener.punsubscribe
    end
  end
  equal(heard, [["job.*.heard", "job.pushed.heard", '"event":"pushed"']])
end

check "authentication" do
  { nil => /NOAUTH/, "wrong" => /WRONGPASS/ }.each do |password, pattern|
    Redis.new(host: HOST, port: TOKEN_PORT, password: password).call("JOB.PUSH", "q", "T", "{}")
    raise "let in with #{password.inspect}"
  rescue Redis::BaseError => e
    raise e unless e.message.match?(pattern)
  end
  friend = Redis.new(host: HOST, port: TOKEN_PORT, password: TOKEN)
  equal(friend.call("JOB.PUSH", "q", "T", "{}").size, 13)
  named = Redis.new(host: HOST, port: TOKEN_PORT, username: "worker", password: TOKEN)
  equal(named.ping, "PONG")
end

check "reconnect" do
  id = call("JOB.PUSH", "kept", "T", "{}")
  puts "restart"
  equal($stdin.gets.chomp, "restarted")
  equal(record(call("JOB.GET", id))[:state], "ready")
  equal(fetch_one("kept")[:id], id)
end

puts "done"
