#include "dray/transaction.h"

#include <optional>
#include <variant>

#include "sdk/cpp/access.h"
#include "sdk/cpp/client_core.h"
#include "sdk/cpp/push_words.h"
#include "sdk/cpp/set_words.h"
#include "sdk/cpp/throw_error.h"

namespace dray {

using detail::ClientCore;
using detail::Request;
using protocol::RespValue;

struct Transaction::State {
  explicit State(Client& client_in) : client(client_in) {}

  void add(const std::vector<std::string>& words) {
    Request request;
    for (const std::string& word : words) request.add(word);
    steps.emplace_back(std::move(request));
  }
  std::vector<Pushed> commit(const std::optional<Request>& first);
  std::vector<Pushed> send(std::span<const NewJob> pushes, const std::optional<Request>& first);

  struct Push {};

  Client& client;
  std::vector<std::variant<Push, Request>> steps;
  std::vector<NewJob> jobs;  // Of the pushes, in their order.
  Repeat repeat = Repeat::kSafe;
};

std::vector<Pushed> Transaction::State::send(std::span<const NewJob> pushes,
                                             const std::optional<Request>& first) {
  ClientCore& core = detail::Access::core(client);
  if (core.stand_in() != nullptr && steps.size() == pushes.size()) {
    return core.stand_in()->push(pushes);
  }
  const ClientCore::Borrowed channel(core);
  std::string bytes = detail::request({"MULTI"});
  size_t replies = 2;  // Of MULTI and of EXEC.
  std::vector<size_t> places;
  if (first) bytes += first->bytes();
  size_t place = first ? 1 : 0;
  for (const auto& step : steps) {
    if (const auto* request = std::get_if<Request>(&step)) {
      bytes += request->bytes();
    } else {
      const detail::PushName name{channel->producer(), channel->next_push()};
      bytes += detail::push_request(pushes[places.size()], name).bytes();
      places.push_back(place);
    }
    ++place;
  }
  replies += place;
  bytes += detail::request({"EXEC"});
  const RespValue reply =
      ClientCore::ask(*channel, {.bytes = bytes, .repeat = repeat, .replies = replies});
  detail::expect(reply.items.size() == place, "EXEC");
  std::vector<Pushed> pushed;
  for (const size_t at : places) pushed.push_back(detail::read_pushed(reply.items[at]));
  return pushed;
}

std::vector<Pushed> Transaction::State::commit(const std::optional<Request>& first) {
  const auto last = [&](std::span<NewJob> left) {
    if (left.size() != jobs.size()) {
      detail::throw_error(ErrorCode::kBadReq,
                          "a middleware may not leave out jobs of a transaction");
    }
    return send(left, first);
  };
  // A transaction without a push is no business of the middleware around pushes.
  std::vector<NewJob> own = jobs;
  std::vector<Pushed> pushed =
      own.empty() ? send({}, first) : detail::Access::core(client).push_within(own, last);
  steps.clear();
  jobs.clear();
  repeat = Repeat::kSafe;
  return pushed;
}

Transaction::Transaction(Client& client) : state_(std::make_unique<State>(client)) {}
Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;

void Transaction::push(NewJob job) {
  state_->jobs.push_back(std::move(job));
  state_->steps.emplace_back(State::Push{});
}

void Transaction::set(std::string_view name, std::string_view value, const SetOptions& options) {
  state_->add(detail::set_words(name, value, options));
  if (!detail::may_be_repeated(options)) state_->repeat = Repeat::kNever;
}

void Transaction::remove(std::string_view name) {
  state_->add({"DEL", std::string(name)});
}

void Transaction::add(std::string_view name, int64_t by) {
  state_->add({"INCRBY", std::string(name), std::to_string(by)});
  state_->repeat = Repeat::kNever;
}

void Transaction::cancel(std::string_view id) {
  state_->add({"JOB.CANCEL", "IDS", "1", std::string(id)});
}

std::vector<Pushed> Transaction::commit() {
  if (state_->steps.empty()) return {};
  return state_->commit(std::nullopt);
}

std::vector<Pushed> detail::Access::commit(Transaction& transaction, const Request& first) {
  return transaction.state_->commit(first);
}

}  // namespace dray
