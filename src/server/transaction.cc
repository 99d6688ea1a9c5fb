#include "server/transaction.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "auth/authorise.h"
#include "core/limits.h"
#include "protocol/decode.h"

namespace server {

using base::ErrorCode;

void Transaction::open() {
  drop();
  open_ = true;
}

void Transaction::drop() {
  open_ = false;
  spoilt_ = false;
  bytes_ = 0;
  batch_ = {};
}

base::Status Transaction::add(const protocol::CommandSpec& spec, protocol::Arguments arguments,
                              const core::Rights* rights) {
  base::Status kept = keep(spec, arguments, rights);
  if (!kept) spoilt_ = true;
  return kept;
}

base::Status Transaction::keep(const protocol::CommandSpec& spec, protocol::Arguments arguments,
                               const core::Rights* rights) {
  using core::limits::kBatchBytesMax;
  using core::limits::kBatchItemsMax;
  if (!spec.has(protocol::command_flag::kMulti)) {
    return base::fail(ErrorCode::kErr,
                      "{} is not for MULTI: JOB.PUSH, MPUSH, ACK, FAIL, RELEASE, PROGRESS, "
                      "CANCEL by id and commands on keys are",
                      spec.name);
  }
  size_t size = 0;
  for (const std::string_view word : arguments) size += word.size();
  if (bytes_ + size > kBatchBytesMax || batch_.commands.commands.size() >= kBatchItemsMax) {
    return base::fail(ErrorCode::kTooBig, "limit={} commands and {} bytes in one MULTI",
                      kBatchItemsMax, kBatchBytesMax);
  }
  std::string& bytes = batch_.parts.emplace_back();
  bytes.reserve(size);  // So that views into it stay right.
  std::vector<std::string_view> words;
  words.reserve(arguments.size());
  for (const std::string_view word : arguments) {
    words.emplace_back(bytes.data() + bytes.size(), word.size());
    bytes.append(word);
  }
  core::Command command = TRY(protocol::decode(spec, words));
  if (std::holds_alternative<core::OperationStart>(command.body)) {
    return base::fail(
        ErrorCode::kErr,
        "{} WHERE is not for MULTI: an operation goes on behind EXEC; name jobs by their ids",
        spec.name);
  }
  if (rights != nullptr) TRY(auth::may_do(spec, *rights, command));
  if (spec.has(protocol::command_flag::kAudit)) {
    batch_.audited.push_back(audited(spec, command));
  }
  batch_.reads = batch_.reads || spec.lane == protocol::Lane::kRead;
  batch_.commands.commands.push_back(std::move(command));
  bytes_ += size;
  return {};
}

base::Result<Transaction::Batch> Transaction::take() {
  const bool spoilt = spoilt_;
  Batch batch = std::exchange(batch_, {});
  drop();
  if (spoilt) {
    return base::fail(ErrorCode::kExecAbort, "Transaction discarded because of previous errors.");
  }
  return batch;
}

}  // namespace server
