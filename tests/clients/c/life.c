// hiredis (Debian's, RESP 2) as a client of Dray: a job's whole life from C.
//
// Says one line for each check on stdout, as run.py reads them: "passed <check>" or
// "failed <check>: <why>", at the end "done".
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* const kHost = "127.0.0.1";
static redisContext* client;
static jmp_buf failed;
static char why[512];

static void fail(const char* format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(why, sizeof why, format, values);
  va_end(values);
  longjmp(failed, 1);
}

#define EXPECT(condition) ((condition) ? (void)0 : fail("line %d: " #condition, __LINE__))

static int number_of(const char* name) {
  const char* text = getenv(name);
  return text == NULL ? 0 : atoi(text);
}

static redisContext* connected(int port) {
  redisContext* context = redisConnect(kHost, port);
  if (context == NULL || context->err) fail("cannot connect to port %d", port);
  return context;
}

// A reply of whatever kind; NULL of hiredis is a failure.
static redisReply* any(redisContext* context, const char* format, ...) {
  va_list values;
  va_start(values, format);
  redisReply* reply = redisvCommand(context, format, values);
  va_end(values);
  if (reply == NULL) fail("no reply to %s: %s", format, context->errstr);
  return reply;
}

// A reply that is no error.
static redisReply* call(const char* format, ...) {
  va_list values;
  va_start(values, format);
  redisReply* reply = redisvCommand(client, format, values);
  va_end(values);
  if (reply == NULL) fail("no reply to %s: %s", format, client->errstr);
  if (reply->type == REDIS_REPLY_ERROR) fail("%s: %s", format, reply->str);
  return reply;
}

static void expect_ok(redisReply* reply) {
  EXPECT(reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0);
  freeReplyObject(reply);
}

static void expect_refused(const char* prefix, redisReply* reply) {
  if (reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, prefix, strlen(prefix)) != 0) {
    fail("wanted %s, got %s", prefix, reply->str ? reply->str : "no error");
  }
  freeReplyObject(reply);
}

// The value of a field of a record, which RESP 2 sends as field, value, field, value, …
static const redisReply* field(const redisReply* record, const char* name) {
  EXPECT(record->type == REDIS_REPLY_ARRAY && record->elements % 2 == 0);
  for (size_t i = 0; i < record->elements; i += 2) {
    if (strcmp(record->element[i]->str, name) == 0) return record->element[i + 1];
  }
  fail("there is no field %s", name);
  return NULL;
}

static int is(const redisReply* value, const char* text) {
  const size_t size = strlen(text);
  return value->str != NULL && value->len == size && memcmp(value->str, text, size) == 0;
}

struct Lease {
  char id[16];
  char token[32];
  long long attempt;
  redisReply* reply;
  const redisReply* record;
};

static struct Lease lease_in(redisReply* reply) {
  struct Lease lease = {.reply = reply};
  EXPECT(reply->type == REDIS_REPLY_ARRAY && reply->elements == 1);
  lease.record = reply->element[0];
  snprintf(lease.id, sizeof lease.id, "%s", field(lease.record, "id")->str);
  snprintf(lease.token, sizeof lease.token, "%s", field(lease.record, "token")->str);
  lease.attempt = field(lease.record, "attempt")->integer;
  return lease;
}

static struct Lease fetch(const char* queue) {
  return lease_in(call("JOB.FETCH c BLOCK 5000 QUEUES 1 %s", queue));
}

static long long stat_of(const char* queue, const char* name) {
  redisReply* stats = call("QUEUE.STATS %s", queue);
  const long long value = field(stats, name)->integer;
  freeReplyObject(stats);
  return value;
}

static void expect_state(const char* id, const char* state) {
  redisReply* job = call("JOB.GET %s", id);
  EXPECT(is(field(job, "state"), state));
  freeReplyObject(job);
}

static void connect_check(void) {
  redisReply* pong = call("PING");
  EXPECT(is(pong, "PONG"));
  freeReplyObject(pong);
  redisReply* hello = call("HELLO 2 SETNAME life");
  EXPECT(is(field(hello, "server"), "dray"));
  EXPECT(field(hello, "proto")->integer == 2);
  freeReplyObject(hello);
  redisReply* name = call("CLIENT GETNAME");
  EXPECT(is(name, "life"));
  freeReplyObject(name);
}

static void life_check(void) {
  redisReply* pushed = call("JOB.PUSH life Send %s PRIORITY 7 META 1 k v", "{\"to\":1}");
  EXPECT(pushed->type == REDIS_REPLY_STRING && pushed->len == 13);
  struct Lease lease = fetch("life");
  EXPECT(is(field(lease.record, "id"), pushed->str));
  EXPECT(is(field(lease.record, "type"), "Send"));
  EXPECT(is(field(lease.record, "args"), "{\"to\":1}"));
  EXPECT(field(lease.record, "priority")->integer == 7 && lease.attempt == 1);
  EXPECT(is(field(field(lease.record, "meta"), "k"), "v"));
  redisReply* beat = call("WORKER.BEAT c LEASES 1 %s %s", lease.id, lease.token);
  EXPECT(is(field(beat, "state"), "run"));
  EXPECT(field(beat, "lost")->elements == 0 && field(beat, "cancel")->elements == 0);
  redisReply* progress = call("JOB.PROGRESS %s %s %s", lease.id, lease.token, "{\"pct\":50}");
  EXPECT(field(progress, "cancelled")->integer == 0);
  redisReply* extended = call("JOB.EXTEND %s %s 60000", lease.id, lease.token);
  EXPECT(field(extended, "lease_ms")->integer == 60000);
  expect_state(lease.id, "running");
  expect_ok(call("JOB.ACK %s %s RESULT %s", lease.id, lease.token, "sent"));
  redisReply* waited = call("JOB.WAIT 1 %s BLOCK 1000", lease.id);
  EXPECT(is(field(waited->element[0], "state"), "succeeded"));
  EXPECT(is(field(waited->element[0], "result"), "sent"));
  redisReply* nobody = call("JOB.GET key:nobody");
  EXPECT(nobody->type == REDIS_REPLY_NIL);
  redisReply* all[] = {pushed, lease.reply, beat, progress, extended, waited, nobody};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) freeReplyObject(all[i]);
}

static void* wait_for_job(void* unused) {
  redisContext* waiter = redisConnect(kHost, number_of("DRAY_PORT"));
  redisReply* reply = redisCommand(waiter, "JOB.FETCH c BLOCK 20000 QUEUES 1 blocked");
  redisFree(waiter);
  return unused == NULL ? reply : NULL;
}

static void blocking_check(void) {
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, wait_for_job, NULL) == 0);
  for (int waiting = 0; !waiting;) {
    redisReply* info = call("INFO");
    waiting = strstr(info->str, "blocked_clients:1\r") != NULL;
    freeReplyObject(info);
  }
  redisReply* pushed = call("JOB.PUSH blocked T late");
  void* reply = NULL;
  EXPECT(pthread_join(thread, &reply) == 0 && reply != NULL);
  struct Lease lease = lease_in(reply);
  EXPECT(is(field(lease.record, "id"), pushed->str));
  expect_ok(call("JOB.ACK %s %s", lease.id, lease.token));
  redisReply* none = call("JOB.FETCH c BLOCK 10 QUEUES 1 blocked");
  EXPECT(none->type == REDIS_REPLY_ARRAY && none->elements == 0);
  freeReplyObject(none);
  freeReplyObject(lease.reply);
  freeReplyObject(pushed);
}

static void retry_check(void) {
  freeReplyObject(call("JOB.PUSH retry T {} ATTEMPTS 2"));
  struct Lease lease = fetch("retry");
  redisReply* answer =
      call("JOB.FAIL %s %s IOError %s RETRYIN 0", lease.id, lease.token, "no luck");
  EXPECT(is(field(answer, "state"), "ready"));
  freeReplyObject(answer);
  freeReplyObject(lease.reply);
  lease = fetch("retry");
  EXPECT(lease.attempt == 2);
  answer = call("JOB.FAIL %s %s IOError %s TRACE %s", lease.id, lease.token, "again", "1\n2");
  EXPECT(is(field(answer, "state"), "dead"));
  freeReplyObject(answer);
  redisReply* retried = call("JOB.RETRY IDS 1 %s", lease.id);
  EXPECT(retried->elements == 1 && is(retried->element[0], "OK"));
  freeReplyObject(retried);
  freeReplyObject(lease.reply);
  lease = fetch("retry");
  EXPECT(lease.attempt == 1);
  redisReply* acked = call("JOB.MACK 1 %s %s 1 %s", lease.id, lease.token, "at last");
  EXPECT(acked->elements == 1 && is(acked->element[0], "OK"));
  freeReplyObject(acked);
  freeReplyObject(lease.reply);
}

static void stats_check(void) {
  EXPECT(stat_of("retry", "pushed") == 1 && stat_of("retry", "started") == 3);
  EXPECT(stat_of("retry", "failed") == 2 && stat_of("retry", "succeeded") == 1);
  EXPECT(stat_of("retry", "died") == 1 && stat_of("retry", "ready") == 0);
}

static void pause_check(void) {
  expect_ok(call("QUEUE.PAUSE pause REASON %s", "a test"));
  freeReplyObject(call("JOB.PUSH pause T {}"));
  redisReply* none = call("JOB.FETCH c QUEUES 1 pause");
  EXPECT(none->elements == 0 && stat_of("pause", "paused") == 1);
  freeReplyObject(none);
  expect_ok(call("QUEUE.RESUME pause"));
  struct Lease lease = fetch("pause");
  expect_ok(call("JOB.RELEASE %s %s", lease.id, lease.token));
  freeReplyObject(lease.reply);
  lease = fetch("pause");
  EXPECT(lease.attempt == 1);
  expect_ok(call("WORKER.BYE c LEASES 1 %s %s", lease.id, lease.token));
  freeReplyObject(call("JOB.CANCEL IDS 1 %s", lease.id));
  expect_state(lease.id, "cancelled");
  freeReplyObject(lease.reply);
}

static void errors_check(void) {
  freeReplyObject(call("JOB.PUSH errors T {}"));
  struct Lease lease = fetch("errors");
  char* last = lease.token + strlen(lease.token) - 1;
  *last = *last == '0' ? '1' : '0';
  expect_refused("LEASELOST ", any(client, "JOB.ACK %s %s", lease.id, lease.token));
  expect_refused("BADREQ field=OPTION ", any(client, "JOB.PUSH q T {} DELYA 1"));
  expect_refused("NOTYET ", any(client, "JOB.WHY %s", lease.id));
  expect_refused("ERR unknown command 'NOSUCH'", any(client, "NOSUCH a"));
  expect_refused("ERR dray is not Redis: ", any(client, "LPUSH queue:default 1"));
  expect_refused("ERR wrong number of arguments", any(client, "JOB.PUSH q"));
  freeReplyObject(lease.reply);
}

static void pipeline_check(void) {
  enum { kPushes = 1000 };
  for (int i = 0; i < kPushes; ++i) redisAppendCommand(client, "JOB.PUSH many T %d", i);
  char before[16] = "";
  for (int i = 0; i < kPushes; ++i) {
    redisReply* reply = NULL;
    EXPECT(redisGetReply(client, (void**)&reply) == REDIS_OK);
    EXPECT(reply->type == REDIS_REPLY_STRING && strcmp(reply->str, before) > 0);
    snprintf(before, sizeof before, "%s", reply->str);
    freeReplyObject(reply);
  }
  redisReply* leases = call("JOB.FETCH c COUNT %d QUEUES 1 many", kPushes);
  EXPECT(leases->elements == kPushes);
  for (int i = 0; i < kPushes; ++i) {
    EXPECT(atoi(field(leases->element[i], "args")->str) == i);
    redisAppendCommand(client, "JOB.ACK %s %s", field(leases->element[i], "id")->str,
                       field(leases->element[i], "token")->str);
  }
  for (int i = 0; i < kPushes; ++i) {
    redisReply* reply = NULL;
    EXPECT(redisGetReply(client, (void**)&reply) == REDIS_OK);
    expect_ok(reply);
  }
  EXPECT(stat_of("many", "succeeded") == kPushes);
  freeReplyObject(leases);
}

static void transaction_check(void) {
  freeReplyObject(call("JOB.PUSH tx T {}"));
  struct Lease lease = fetch("tx");
  expect_ok(call("MULTI"));
  freeReplyObject(call("JOB.ACK %s %s", lease.id, lease.token));
  freeReplyObject(call("JOB.PUSH tx Next {}"));
  redisReply* done = call("EXEC");
  EXPECT(done->elements == 2 && is(done->element[0], "OK") && done->element[1]->len == 13);
  expect_ok(call("MULTI"));
  freeReplyObject(call("JOB.PUSH tx Never {}"));
  freeReplyObject(call("JOB.ACK %s %s", done->element[1]->str, lease.token));
  expect_refused("EXECABORT index=1 ", any(client, "EXEC"));
  EXPECT(stat_of("tx", "pushed") == 2);
  freeReplyObject(done);
  freeReplyObject(lease.reply);
}

static void bytes_check(void) {
  static const char kFake[] = "\r\n$5\r\nhello\r\n*1\r\n";  // With its NUL.
  char nasty[256 + sizeof kFake];
  for (int i = 0; i < 256; ++i) nasty[i] = (char)i;
  memcpy(nasty + 256, kFake, sizeof kFake);
  freeReplyObject(call("JOB.PUSH bytes T %b", nasty, sizeof nasty));
  struct Lease lease = fetch("bytes");
  const redisReply* args = field(lease.record, "args");
  EXPECT(args->len == sizeof nasty && memcmp(args->str, nasty, sizeof nasty) == 0);
  expect_ok(call("JOB.ACK %s %s RESULT %b", lease.id, lease.token, nasty, sizeof nasty));
  redisReply* job = call("JOB.GET %s", lease.id);
  const redisReply* result = field(job, "result");
  EXPECT(result->len == sizeof nasty && memcmp(result->str, nasty, sizeof nasty) == 0);
  freeReplyObject(job);
  freeReplyObject(lease.reply);
}

static void events_check(void) {
  redisContext* listener = connected(number_of("DRAY_PORT"));
  redisReply* confirmed = any(listener, "SUBSCRIBE job.pushed.heard");
  EXPECT(confirmed->elements == 3 && confirmed->element[2]->integer == 1);
  freeReplyObject(confirmed);
  redisReply* pushed = call("JOB.PUSH heard T {}");
  redisReply* message = NULL;
  EXPECT(redisGetReply(listener, (void**)&message) == REDIS_OK && message->elements == 3);
  EXPECT(strcmp(message->element[0]->str, "message") == 0);
  EXPECT(strstr(message->element[2]->str, pushed->str) != NULL);
  freeReplyObject(message);
  freeReplyObject(pushed);
  redisFree(listener);
}

static void authentication_check(void) {
  redisContext* guarded = connected(number_of("DRAY_TOKEN_PORT"));
  expect_refused("NOAUTH ", any(guarded, "JOB.PUSH q T {}"));
  expect_refused("WRONGPASS ", any(guarded, "AUTH wrong"));
  expect_refused("NOAUTH ", any(guarded, "PING"));
  expect_ok(any(guarded, "AUTH %s", getenv("DRAY_TOKEN")));
  redisReply* pushed = any(guarded, "JOB.PUSH q T {}");
  EXPECT(pushed->len == 13);
  freeReplyObject(pushed);
  redisFree(guarded);
}

static void reconnect_check(void) {
  freeReplyObject(call("JOB.PUSH kept T {}"));
  printf("restart\n");
  char line[64] = "";
  EXPECT(fgets(line, sizeof line, stdin) != NULL && strcmp(line, "restarted\n") == 0);
  EXPECT(redisCommand(client, "PING") == NULL && client->err != 0);
  EXPECT(redisReconnect(client) == REDIS_OK);
  struct Lease lease = fetch("kept");
  EXPECT(lease.attempt == 1);
  expect_ok(call("JOB.ACK %s %s", lease.id, lease.token));
  freeReplyObject(lease.reply);
}

static void check(const char* name, void (*function)(void)) {
  if (setjmp(failed) == 0) {
    function();
    printf("passed %s\n", name);
  } else {
    printf("failed %s: %s\n", name, why);
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  client = redisConnect(kHost, number_of("DRAY_PORT"));
  if (client == NULL || client->err) return 1;
  check("connect", connect_check);
  check("push, fetch, beat, progress, ack", life_check);
  check("blocking fetch", blocking_check);
  check("fail and retry", retry_check);
  check("queue stats", stats_check);
  check("pause and resume", pause_check);
  check("errors", errors_check);
  check("pipeline of 1,000", pipeline_check);
  check("transaction", transaction_check);
  check("any byte", bytes_check);
  check("events", events_check);
  check("authentication", authentication_check);
  check("reconnect", reconnect_check);
  printf("done\n");
  redisFree(client);
  return 0;
}
