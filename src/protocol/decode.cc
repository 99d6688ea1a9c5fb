#include "protocol/decode.h"

#include "protocol/decode_families.h"

namespace protocol {
namespace {

template <typename Body>
base::Status read_hash_field(Words& words, Body& body) {
  body.key = words.take();
  body.field = words.take();
  return {};
}

template <typename Body>
Body& with_key(Words& words, core::CommandBody& body) {
  Body& made = body.emplace<Body>();
  made.key = words.take();
  return made;
}

// Those that the switch of `read_key_command` leaves over.
base::Status read_hash_command(const CommandSpec& spec, Words& words, core::CommandBody& body) {
  switch (spec.id) {
    case CommandId::kHset:
    case CommandId::kHsetnx: {
      auto& set = body.emplace<core::HashSet>();
      set.only_absent = spec.id == CommandId::kHsetnx;
      return read_hash_set(words, set);
    }
    case CommandId::kHget:
      return read_hash_field(words, body.emplace<core::HashGet>());
    case CommandId::kHmget:
      return read_keys(words, with_key<core::HashGetMany>(words, body).fields);
    case CommandId::kHgetall:
      with_key<core::HashAll>(words, body);
      return {};
    case CommandId::kHkeys:
      with_key<core::HashAll>(words, body).what = core::HashAll::What::kFields;
      return {};
    case CommandId::kHvals:
      with_key<core::HashAll>(words, body).what = core::HashAll::What::kValues;
      return {};
    case CommandId::kHdel:
      return read_keys(words, with_key<core::HashDelete>(words, body).fields);
    case CommandId::kHexists:
      return read_hash_field(words, body.emplace<core::HashHas>());
    case CommandId::kHlen:
      with_key<core::HashSize>(words, body);
      return {};
    case CommandId::kHincrby:
      return read_hash_add(words, body.emplace<core::HashAdd>());
    case CommandId::kHincrbyfloat: {
      auto& add = body.emplace<core::HashAddFloat>();
      TRY(read_hash_field(words, add));
      add.by = words.take();
      return {};
    }
    default:
      return not_built(spec.name);
  }
}

// Those that the switch of `read_command` leaves over.
base::Status read_key_command(const CommandSpec& spec, Words& words, core::CommandBody& body) {
  switch (spec.id) {
    case CommandId::kSet:
      return read_key_set(words, body.emplace<core::KeySet>());
    case CommandId::kGet:
      body.emplace<core::KeyGet>().key = words.take();
      return {};
    case CommandId::kMget:
      return read_keys(words, body.emplace<core::KeysGet>().keys);
    case CommandId::kDel:
      return read_keys(words, body.emplace<core::KeysDelete>().keys);
    case CommandId::kExists:
      return read_keys(words, body.emplace<core::KeysExist>().keys);
    case CommandId::kExpire:
    case CommandId::kPexpire:
      body = core::KeyExpire{.in_seconds = spec.id == CommandId::kExpire};
      return read_key_expire(words, std::get<core::KeyExpire>(body));
    case CommandId::kTtl:
    case CommandId::kPttl:
      body = core::KeyTimeLeft{words.take(), spec.id == CommandId::kTtl};
      return {};
    case CommandId::kPersist:
      body.emplace<core::KeyPersist>().key = words.take();
      return {};
    case CommandId::kIncr:
    case CommandId::kDecr:
      body = core::KeyAdd{words.take(), 1, spec.id == CommandId::kDecr};
      return {};
    case CommandId::kIncrby:
    case CommandId::kDecrby:
      body = core::KeyAdd{.down = spec.id == CommandId::kDecrby};
      return read_key_add(words, std::get<core::KeyAdd>(body));
    case CommandId::kScan:
      return read_key_scan(words, body.emplace<core::KeyScan>());
    case CommandId::kDbsize:
      body.emplace<core::KeyCount>();
      return {};
    case CommandId::kType:
      body.emplace<core::KeyType>().key = words.take();
      return {};
    default:
      return read_hash_command(spec, words, body);
  }
}

// The same: over many jobs.
base::Status read_operation_command(const CommandSpec& spec, Words& words,
                                    core::CommandBody& body) {
  const auto start = [&](core::OperationVerb verb) -> core::OperationStart& {
    auto& operation = body.emplace<core::OperationStart>();
    operation.verb = verb;
    return operation;
  };
  switch (spec.id) {
    case CommandId::kJobList:
      return read_list(words, body.emplace<core::ListJobs>());
    case CommandId::kJobCount:
      return read_count(words, body.emplace<core::CountJobs>());
    case CommandId::kQueuePurge:
      return read_queue_operation(words, start(core::OperationVerb::kPurge));
    case CommandId::kQueueDelete:
      return read_queue_operation(words, start(core::OperationVerb::kDeleteQueue));
    case CommandId::kOpGet:
      body.emplace<core::OperationGet>().operation = words.take();
      return {};
    case CommandId::kOpList:
      body.emplace<core::OperationList>();
      return {};
    case CommandId::kOpCancel:
      body.emplace<core::OperationCancel>().operation = words.take();
      return {};
    case CommandId::kEventRead:
      return read_event_read(words, body.emplace<core::EventRead>());
    case CommandId::kOpWait:
      return read_operation_wait(words, body.emplace<core::OperationWait>());
    default:
      return read_key_command(spec, words, body);
  }
}

base::Status read_command(const CommandSpec& spec, Words& words, core::CommandBody& body) {
  switch (spec.id) {
    case CommandId::kJobPush:
      return read_push(words, body.emplace<core::Push>());
    case CommandId::kJobMpush:
      return read_push_many(words, body.emplace<core::PushMany>());
    case CommandId::kJobFetch:
      return read_fetch(words, body.emplace<core::Fetch>());
    case CommandId::kJobAck:
      return read_ack(words, body.emplace<core::Ack>());
    case CommandId::kJobMack:
      return read_ack_many(words, body.emplace<core::AckMany>());
    case CommandId::kJobFail:
      return read_fail(words, body.emplace<core::Fail>());
    case CommandId::kJobRelease:
      return read_release(words, body.emplace<core::Release>());
    case CommandId::kJobExtend:
      return read_extend(words, body.emplace<core::Extend>());
    case CommandId::kJobProgress:
      return read_progress(words, body.emplace<core::Progress>());
    case CommandId::kJobLog:
      return read_log(words, body.emplace<core::Log>());
    case CommandId::kJobEdit:
      return read_edit(words, body);
    case CommandId::kJobGet:
      return read_get(words, body.emplace<core::Get>());
    case CommandId::kJobWait:
      return read_wait(words, body.emplace<core::Wait>());
    case CommandId::kJobRetry:
      return read_bulk(words, core::BulkVerb::kRetry, body);
    case CommandId::kJobCancel:
      return read_bulk(words, core::BulkVerb::kCancel, body);
    case CommandId::kJobDelete:
      return read_bulk(words, core::BulkVerb::kDelete, body);
    case CommandId::kWorkerBeat:
      return read_beat(words, body.emplace<core::WorkerBeat>());
    case CommandId::kWorkerBye:
      return read_bye(words, body.emplace<core::WorkerBye>());
    case CommandId::kWorkerList:
      body.emplace<core::WorkerList>();
      return {};
    case CommandId::kWorkerQuiet:
      body = core::WorkerTell{words.take(), core::WorkerOrder::kQuiet};
      return {};
    case CommandId::kWorkerStop:
      body = core::WorkerTell{words.take(), core::WorkerOrder::kStop};
      return {};
    case CommandId::kQueueSet:
      return read_queue_set(words, body.emplace<core::QueueSet>());
    case CommandId::kTypePause:
      return read_type_pause(words, body.emplace<core::TypePause>());
    case CommandId::kTypeResume:
      return read_type_resume(words, body.emplace<core::TypeResume>());
    case CommandId::kQueueList:
      body.emplace<core::QueueList>();
      return {};
    case CommandId::kQueueStats:
      body.emplace<core::QueueStats>().queue = words.take();
      return {};
    case CommandId::kQueuePause:
      return read_queue_pause(words, body.emplace<core::QueuePause>());
    case CommandId::kQueueResume:
      body.emplace<core::QueueResume>().queue = words.take();
      return {};
    default:
      return read_operation_command(spec, words, body);
  }
}

}  // namespace

base::Status decode_into(const CommandSpec& spec, Arguments arguments, core::Command& command) {
  if (!spec.built) return not_built(spec.name);
  TRY(check_arity(spec, arguments));
  Words words(arguments.subspan(1));
  return read_command(spec, words, command.body);
}

base::Result<core::Command> decode(const CommandSpec& spec, Arguments arguments) {
  core::Command command;
  TRY(decode_into(spec, arguments, command));
  return command;
}

}  // namespace protocol
