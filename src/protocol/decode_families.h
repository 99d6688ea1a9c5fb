// The decoders of each family of commands: what `decode` is made of. Each reads the words behind
// the name; that the least number of them is there has been checked.
#pragma once

#include "base/result.h"
#include "core/command.h"
#include "protocol/words.h"

namespace protocol {

base::Status read_push(Words& words, core::Push& push);
base::Status read_push_many(Words& words, core::PushMany& push);

base::Status read_fetch(Words& words, core::Fetch& fetch);

base::Status read_ack(Words& words, core::Ack& ack);
base::Status read_ack_many(Words& words, core::AckMany& ack);
base::Status read_fail(Words& words, core::Fail& fail);
base::Status read_release(Words& words, core::Release& release);
base::Status read_extend(Words& words, core::Extend& extend);
base::Status read_progress(Words& words, core::Progress& progress);
base::Status read_log(Words& words, core::Log& log);
// Of one job, or an operation where it has a query.
base::Status read_edit(Words& words, core::CommandBody& body);
base::Status read_get(Words& words, core::Get& get);
base::Status read_wait(Words& words, core::Wait& wait);
// RETRY, CANCEL and DELETE: on ids, or an operation where they have a query.
base::Status read_bulk(Words& words, core::BulkVerb verb, core::CommandBody& body);

base::Status read_list(Words& words, core::ListJobs& list);
base::Status read_count(Words& words, core::CountJobs& count);
// QUEUE.PURGE and QUEUE.DELETE.
base::Status read_queue_operation(Words& words, core::OperationStart& start);
base::Status read_event_read(Words& words, core::EventRead& read);
base::Status read_operation_wait(Words& words, core::OperationWait& wait);

base::Status read_beat(Words& words, core::WorkerBeat& beat);
base::Status read_bye(Words& words, core::WorkerBye& bye);
base::Status read_queue_pause(Words& words, core::QueuePause& pause);
base::Status read_queue_set(Words& words, core::QueueSet& set);
base::Status read_type_pause(Words& words, core::TypePause& pause);
base::Status read_type_resume(Words& words, core::TypeResume& resume);

base::Status read_key_set(Words& words, core::KeySet& set);
// MGET, DEL, EXISTS.
base::Status read_keys(Words& words, std::vector<std::string_view>& keys);
base::Status read_key_expire(Words& words, core::KeyExpire& expire);
// The increment behind the key: INCRBY, DECRBY.
base::Status read_key_add(Words& words, core::KeyAdd& add);
base::Status read_key_scan(Words& words, core::KeyScan& scan);
// A number in Redis' words.
base::Result<int64_t> read_number(std::string_view word);

// HSET, HSETNX.
base::Status read_hash_set(Words& words, core::HashSet& set);
base::Status read_hash_add(Words& words, core::HashAdd& add);

}  // namespace protocol
