// WORKER.LIST, QUIET and STOP. What a worker was told it hears in the answer to its next beat.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;

namespace {

void write_worker(Reply& reply, const Workers::Worker& worker, uint64_t leases) {
  const auto number = [&](std::string_view field, int64_t value) {
    reply.bulk(field);
    reply.integer(value);
  };
  const auto text = [&](std::string_view field, std::string_view value) {
    reply.bulk(field);
    reply.bulk(value);
  };
  // Once the reply is full, what the rest told of themselves is left out.
  const bool with_info = !worker.info.empty() && reply.tape().size() < limits::kReplyBytesMax;
  reply.map(with_info ? 5 : 4);
  text("worker", worker.name);
  text("state", worker_order_name(worker.order));
  number("last_seen_ms", worker.heard.wall.ms);
  number("leases", static_cast<int64_t>(leases));
  if (with_info) text("info", worker.info);
}

}  // namespace

void apply_worker_list(Context& context, Answer& answer) {
  context.state.forget_silent_workers(context.now.engine);
  const Workers& workers = context.state.workers();
  std::vector<const Workers::Worker*> all;
  for (const Workers::Worker& worker : workers.all()) all.push_back(&worker);
  std::ranges::sort(
      all, {}, [](const Workers::Worker* worker) -> const std::string& { return worker->name; });
  answer.reply.array(static_cast<uint32_t>(all.size()));
  for (const Workers::Worker* worker : all) {
    write_worker(answer.reply, *worker, workers.leases_of(worker->name));
  }
}

void apply_worker_tell(Context& context, const WorkerTell& tell, Answer& answer) {
  constexpr auto kLabelMax = static_cast<int64_t>(limits::kNameBytesMax);
  const base::Status fits =
      check_range("worker", static_cast<int64_t>(tell.worker.size()), {1, kLabelMax});
  if (!fits) return answer.reply.error(fits.error());
  if (!context.state.workers().tell(tell.worker, tell.order)) {
    return answer.reply.error(
        ErrorCode::kNotFound,
        fmt::format("no worker '{}' has fetched or beaten of late: WORKER.LIST names those that "
                    "have",
                    tell.worker));
  }
  tell_of_worker(context, tell.order == WorkerOrder::kStop ? EventKind::kStop : EventKind::kQuiet,
                 tell.worker);
  answer.reply.ok();
}

}  // namespace core
