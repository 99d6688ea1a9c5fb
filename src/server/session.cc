#include "server/session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "base/log.h"
#include "protocol/decode.h"

namespace server {

using base::ErrorCode;
using boost::system::error_code;

namespace {

constexpr size_t kReadBytesMin = size_t{2} << 10;
// Answers that are owed; beyond it the connection is not read further.
constexpr size_t kSlotsMax = 1'000;
// Answers that the peer does not take; beyond it the connection is not read further.
constexpr size_t kOutputBytesMax = size_t{1} << 20;
// What is read ahead while a command holds the connection up.
constexpr size_t kHeldInputBytesMax = size_t{64} << 10;
constexpr size_t kFreeSlotsMax = 64;
// A slot that grew beyond this is not kept.
constexpr size_t kSlotBytesKept = size_t{16} << 10;

engine::Lane lane_of(const protocol::CommandSpec& spec) {
  return static_cast<engine::Lane>(spec.lane);
}
static_assert(static_cast<int>(protocol::Lane::kFinish) == static_cast<int>(engine::Lane::kFinish));
static_assert(static_cast<int>(protocol::Lane::kFetch) == static_cast<int>(engine::Lane::kFetch));
static_assert(static_cast<int>(protocol::Lane::kPush) == static_cast<int>(engine::Lane::kPush));

// Whether the command may wait for something, and so holds its connection up.
bool may_wait(const core::Command& command) {
  if (const auto* fetch = std::get_if<core::Fetch>(&command.body)) return fetch->block_ms.has_value();
  return std::holds_alternative<core::Wait>(command.body);
}

bool is_fetch(const Slot& slot) { return std::holds_alternative<core::Fetch>(slot.command.body); }

}  // namespace

Session::Session(boost::asio::ip::tcp::socket socket, SessionHost& host, uint64_t id)
    : socket_(std::move(socket)), host_(host), parser_(protocol::kRespLimitsStranger) {
  const LocalContext context = host_.local_context();
  error_code ignored;
  const auto peer = socket_.remote_endpoint(ignored);
  client_.id = id;
  client_.peer = peer.address().to_string() + ":" + std::to_string(peer.port());
  client_.authenticated = context.token.empty();
  client_.connected = context.clock.wall();
  if (client_.authenticated) parser_.set_limits(protocol::kRespLimitsClient);
}

Session::~Session() = default;

void Session::start() { read(); }

// --- Reading.

void Session::read() {
  if (reading_ || closed_ || input_ended_) return;
  if (!may_parse() && input_end_ - input_begin_ >= kHeldInputBytesMax) return;
  reading_ = true;
  make_room();
  const auto room = boost::asio::buffer(input_.data() + input_end_, input_.size() - input_end_);
  socket_.async_read_some(room, [this](error_code error, size_t size) {
    reading_ = false;
    input_end_ += size;
    if (error) input_ended_ = true;
    on_read(size);
  });
}

// Room behind what was read. It starts small, since most connections are idle, and doubles while
// reads fill it.
void Session::make_room() {
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
  } else if (input_begin_ > input_.size() / 2) {
    std::copy(input_.begin() + static_cast<ptrdiff_t>(input_begin_),
              input_.begin() + static_cast<ptrdiff_t>(input_end_), input_.begin());
    input_end_ -= input_begin_;
    input_begin_ = 0;
  }
  if (input_.size() - input_end_ >= kReadBytesMin) return;
  input_.resize(std::max(2 * kReadBytesMin, input_.size() * 2));
}

void Session::on_read(size_t size) {
  if (closed_) return end_if_over();
  if (size != 0) parse();
  if (input_ended_ && !closed_) {
    // A worker that hangs up gets no more jobs: what it waits for is taken back.
    const auto fetches = [](const auto& slot) { return is_fetch(*slot); };
    if (blocking_ != nullptr || std::ranges::any_of(slots_, fetches)) return close();
    return end_if_over();
  }
  read();
}

bool Session::may_parse() const {
  return blocking_ == nullptr && slots_.size() < kSlotsMax && !client_.quits &&
         output_.size() < kOutputBytesMax;
}

void Session::parse() {
  while (may_parse() && !closed_) {
    const std::string_view unread(input_.data() + input_begin_, input_end_ - input_begin_);
    if (unread.empty()) break;
    const protocol::ParseStatus status = parser_.parse(unread);
    if (status == protocol::ParseStatus::kNeedMore) break;
    if (status == protocol::ParseStatus::kError) {
      protocol_error();
      break;
    }
    if (!parser_.arguments().empty()) handle(parser_.arguments());
    input_begin_ += parser_.consumed();
  }
  submit_lent();
  encode_done();
  write();
}

void Session::protocol_error() {
  const bool stranger_protocol = parser_.fault() == protocol::RespFault::kHttp ||
                                 parser_.fault() == protocol::RespFault::kTls;
  LOG(kWarning, "a connection is closed: it does not speak RESP", {"peer", client_.peer},
      {"why", parser_.error_text()});
  input_ended_ = true;
  client_.quits = true;
  if (!stranger_protocol) answer_error({ErrorCode::kErr, parser_.error_text()});
}

void Session::handle(protocol::Arguments arguments) {
  ++client_.commands;
  const protocol::CommandSpec* spec = protocol::find_command(arguments[0]);
  if (!client_.authenticated &&
      (spec == nullptr || !spec->has(protocol::command_flag::kPreAuth))) {
    return answer_error({ErrorCode::kNoAuth, "Authentication required: AUTH <token> first"});
  }
  if (spec == nullptr) {
    transaction_broken_ = true;
    return answer_error(protocol::unknown_command(arguments));
  }
  using protocol::CommandId;
  const bool transaction = spec->id == CommandId::kMulti || spec->id == CommandId::kExec ||
                           spec->id == CommandId::kDiscard;
  if (transaction) return handle_transaction(*spec);
  const bool ends_transaction = spec->id == CommandId::kReset || spec->id == CommandId::kQuit;
  if (in_transaction_ && !ends_transaction) return queue_in_transaction(*spec, arguments);
  if (!spec->local()) return handle_command(*spec, arguments);
  Slot& slot = add_slot();
  if (spec->id == CommandId::kReset) in_transaction_ = false;
  const bool was_authenticated = client_.authenticated;
  answer_local(host_.local_context(), client_, *spec, arguments, slot.answer.reply);
  slot.version = client_.version;
  slot.done = true;
  if (client_.authenticated != was_authenticated) {
    parser_.set_limits(client_.authenticated ? protocol::kRespLimitsClient
                                             : protocol::kRespLimitsStranger);
  }
}

protocol::Arguments Session::copy_words(Slot& slot, protocol::Arguments arguments) {
  size_t size = 0;
  for (const std::string_view word : arguments) size += word.size();
  slot.bytes.clear();
  slot.bytes.reserve(size);  // So that views into it stay right.
  words_.clear();
  for (const std::string_view word : arguments) {
    words_.emplace_back(slot.bytes.data() + slot.bytes.size(), word.size());
    slot.bytes.append(word);
  }
  return words_;
}

void Session::handle_command(const protocol::CommandSpec& spec, protocol::Arguments arguments) {
  Slot& slot = add_slot();
  const protocol::Arguments words = copy_words(slot, arguments);
  base::Result<core::Command> command = protocol::decode(spec, words);
  if (!command) {
    slot.answer.reply.error(command.error());
    slot.done = true;
    return;
  }
  slot.command = *std::move(command);
  slot.lane = lane_of(spec);
  if (may_wait(slot.command)) blocking_ = &slot;
  lend(slot);
}

// --- MULTI, EXEC, DISCARD.

void Session::handle_transaction(const protocol::CommandSpec& spec) {
  using protocol::CommandId;
  if (spec.id == CommandId::kMulti) {
    if (in_transaction_) return answer_error({ErrorCode::kErr, "MULTI calls can not be nested"});
    in_transaction_ = true;
    transaction_broken_ = false;
    transaction_bytes_ = 0;
  } else if (!in_transaction_) {
    return answer_error({ErrorCode::kErr, std::string(spec.name) + " without MULTI"});
  } else if (spec.id == CommandId::kExec) {
    return exec();
  } else {
    in_transaction_ = false;
    transaction_.commands.clear();
    transaction_parts_.clear();
  }
  Slot& slot = add_slot();
  slot.answer.reply.ok();
  slot.done = true;
}

void Session::queue_in_transaction(const protocol::CommandSpec& spec,
                                   protocol::Arguments arguments) {
  const auto refuse = [&](const base::Error& error) {
    transaction_broken_ = true;
    answer_error(error);
  };
  if (!spec.has(protocol::command_flag::kMulti)) {
    return refuse({ErrorCode::kErr, std::string(spec.name) +
                                        " is not for MULTI: JOB.PUSH, MPUSH, ACK, FAIL, RELEASE, "
                                        "PROGRESS and CANCEL by id are"});
  }
  size_t size = 0;
  for (const std::string_view word : arguments) size += word.size();
  transaction_bytes_ += size;
  if (transaction_bytes_ > core::limits::kBatchBytesMax ||
      transaction_.commands.size() >= core::limits::kBatchItemsMax) {
    return refuse({ErrorCode::kTooBig,
                   fmt::format("limit={} commands and {} bytes in one MULTI",
                               core::limits::kBatchItemsMax, core::limits::kBatchBytesMax)});
  }
  Slot holder;  // Lends its copy of the words only.
  const protocol::Arguments words = copy_words(holder, arguments);
  transaction_parts_.push_back(std::move(holder.bytes));
  const char* base = words.empty() ? nullptr : words.front().data();
  std::vector<std::string_view> kept;
  for (const std::string_view word : words) {
    kept.emplace_back(transaction_parts_.back().data() + (word.data() - base), word.size());
  }
  base::Result<core::Command> command = protocol::decode(spec, kept);
  if (!command) return refuse(command.error());
  transaction_.commands.push_back(*std::move(command));
  Slot& slot = add_slot();
  slot.answer.reply.simple("QUEUED");
  slot.done = true;
}

void Session::exec() {
  in_transaction_ = false;
  core::Exec commands = std::exchange(transaction_, {});
  std::deque<std::string> parts = std::exchange(transaction_parts_, {});
  if (transaction_broken_) {
    return answer_error(
        {ErrorCode::kExecAbort, "Transaction discarded because of previous errors."});
  }
  Slot& slot = add_slot();
  slot.parts = std::move(parts);
  slot.command.body = std::move(commands);
  slot.lane = engine::Lane::kPush;
  lend(slot);
}

// --- To the engine and back.

Slot& Session::add_slot() {
  std::unique_ptr<Slot> slot;
  if (free_.empty()) {
    slot = std::make_unique<Slot>();
  } else {
    slot = std::move(free_.back());
    free_.pop_back();
  }
  slot->owner = this;
  slot->session = client_.id;
  slot->order = &order_;
  slot->version = client_.version;
  slot->done = false;
  slot->answer.clear();
  slots_.push_back(std::move(slot));
  return *slots_.back();
}

void Session::answer_error(const base::Error& error) {
  Slot& slot = add_slot();
  slot.answer.reply.error(error);
  slot.done = true;
}

void Session::lend(Slot& slot) {
  to_lend_.push_back(&slot);
  ++lent_;
}

void Session::submit_lent() {
  if (to_lend_.empty()) return;
  for (engine::Request* refused : host_.engine().submit(to_lend_)) {
    auto& slot = static_cast<Slot&>(*refused);
    slot.answer.reply.error(ErrorCode::kOverloaded,
                            "retry_ms=100 the server has more commands than it can take");
    slot.done = true;
    --lent_;
    if (blocking_ == &slot) blocking_ = nullptr;
  }
  to_lend_.clear();
}

void Session::answered(Slot& slot) {
  ASSERT(lent_ > 0);
  --lent_;
  if (blocking_ == &slot) blocking_ = nullptr;
  if (closed_ && !slot.answer.grants.empty()) undo(std::move(slot.answer.grants));
  slot.done = true;
  if (slot.internal) {
    std::erase_if(internal_, [&](const auto& held) { return held.get() == &slot; });
  }
}

void Session::undo(std::vector<std::pair<core::JobId, core::LeaseToken>> grants) {
  auto slot = std::make_unique<Slot>();
  slot->command.body = core::UndoGrants{std::move(grants)};
  submit_internal(std::move(slot));
}

void Session::submit_internal(std::unique_ptr<Slot> slot) {
  slot->owner = this;
  slot->session = client_.id;
  slot->order = &order_;
  slot->internal = true;
  slot->lane = engine::Lane::kFinish;
  // Without a refusal: what takes back must get through. Its number is bounded by what was given.
  engine::Request* request = slot.get();
  request->kind = engine::Request::Kind::kClose;
  internal_.push_back(std::move(slot));
  ++lent_;
  const auto refused = host_.engine().submit(std::span(&request, 1));
  ASSERT(refused.empty(), "a close is never refused");
}

void Session::flush() {
  if (closed_) return end_if_over();
  encode_done();
  write();
  if (!closed_ && input_begin_ < input_end_) parse();
  if (!closed_) read();
  end_if_over();
}

// --- Writing.

void Session::encode_done() {
  while (!slots_.empty() && slots_.front()->done) {
    std::unique_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    const size_t before = output_.size();
    protocol::encode_reply(slot->answer.reply.tape(), slot->version, output_);
    bytes_encoded_ += output_.size() - before;
    if (!slot->answer.grants.empty()) {
      deliveries_.push_back({bytes_encoded_, std::move(slot->answer.grants)});
    }
    slot->parts.clear();
    const size_t size = slot->bytes.capacity() + slot->answer.reply.tape().size();
    if (free_.size() < kFreeSlotsMax && size < kSlotBytesKept) free_.push_back(std::move(slot));
  }
}

void Session::write() {
  if (closed_ || is_writing_ || output_.empty()) return;
  // Most answers fit the kernel's buffer: then no round through the reactor is needed.
  error_code error;
  const size_t size = socket_.write_some(boost::asio::buffer(output_), error);
  if (error && error != boost::asio::error::would_block) return close();
  on_written(size);
  if (size == output_.size()) {
    output_.clear();
    return;
  }
  is_writing_ = true;
  writing_ = output_.substr(size);
  output_.clear();
  boost::asio::async_write(
      socket_, boost::asio::buffer(writing_),
      [this](error_code failed, size_t written) {
        is_writing_ = false;
        on_written(written);
        if (closed_) return end_if_over();
        if (failed) return close();
        flush();
      });
}

void Session::on_written(size_t size) {
  bytes_taken_ += size;
  while (!deliveries_.empty() && deliveries_.front().end <= bytes_taken_) deliveries_.pop_front();
}

// --- The end.

void Session::close() {
  if (closed_) return;
  closed_ = true;
  submit_lent();
  error_code ignored;
  socket_.close(ignored);
  std::vector<std::pair<core::JobId, core::LeaseToken>> ungot;
  const auto take_back = [&](auto& grants) { ungot.insert(ungot.end(), grants.begin(), grants.end()); };
  for (Delivery& delivery : deliveries_) take_back(delivery.grants);
  for (const auto& slot : slots_) {
    if (slot->done) take_back(slot->answer.grants);
  }
  undo(std::move(ungot));  // Also ends what it waits for.
  end_if_over();
}

void Session::finish() {
  input_ended_ = true;
  end_if_over();
}

void Session::end_if_over() {
  if (!closed_) {
    const bool all_out = slots_.empty() && output_.empty() && !is_writing_;
    if ((input_ended_ || client_.quits) && all_out) close();
    return;
  }
  if (lent_ != 0 || reading_ || is_writing_ || ended_) return;
  ended_ = true;
  host_.session_ended(*this);
}

}  // namespace server
