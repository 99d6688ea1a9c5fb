#include "protocol/decode.h"

#include "protocol/decode_families.h"

namespace protocol {
namespace {

base::Status read_command(const CommandSpec& spec, Words& words, core::CommandBody& body) {
  switch (spec.id) {
    case CommandId::kJobPush:
      return read_push(words, std::get<core::Push>(body));  // What a new command is.
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
    case CommandId::kJobGet:
      return read_get(words, body.emplace<core::Get>());
    case CommandId::kJobWait:
      return read_wait(words, body.emplace<core::Wait>());
    case CommandId::kJobRetry:
      return read_bulk(words, body.emplace<core::Bulk>(core::Bulk{core::BulkVerb::kRetry, {}, {}}));
    case CommandId::kJobCancel:
      return read_bulk(words,
                       body.emplace<core::Bulk>(core::Bulk{core::BulkVerb::kCancel, {}, {}}));
    case CommandId::kJobDelete:
      return read_bulk(words,
                       body.emplace<core::Bulk>(core::Bulk{core::BulkVerb::kDelete, {}, {}}));
    case CommandId::kWorkerBeat:
      return read_beat(words, body.emplace<core::WorkerBeat>());
    case CommandId::kWorkerBye:
      return read_bye(words, body.emplace<core::WorkerBye>());
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
      return not_built(spec.name);
  }
}

}  // namespace

base::Result<core::Command> decode(const CommandSpec& spec, Arguments arguments) {
  base::Result<core::Command> command;
  Words words(arguments.subspan(1));
  base::Status done = spec.built ? check_arity(spec, arguments) : not_built(spec.name);
  if (done) [[likely]]
    done = read_command(spec, words, command->body);
  if (!done) [[unlikely]]
    command = std::move(done).error();
  return command;
}

}  // namespace protocol
