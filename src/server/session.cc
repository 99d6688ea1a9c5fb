#include "server/session.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <variant>

#include "auth/authorise.h"
#include "base/assert.h"
#include "protocol/decode.h"
#include "protocol/text.h"
#include "server/connection_limits.h"

namespace server {

using base::ErrorCode;
using boost::system::error_code;

namespace {

constexpr size_t kReadBytesMin = size_t{2} << 10;
// Input grows by doubling up to this size, and by a quarter beyond: large requests are what the
// budget of all connections goes for.
constexpr size_t kInputBytesDoubled = size_t{1} << 20;
// What is read ahead while a command holds the connection up; the same of a stranger.
constexpr size_t kHeldInputBytesMax = size_t{64} << 10;
constexpr size_t kHeldInputBytesMaxStranger = size_t{4} << 10;
constexpr size_t kFreeSlotsMax = 64;
// A slot that grew beyond this is not kept, nor room for more input and words once it is empty:
// connections are many.
constexpr size_t kSlotBytesKept = size_t{16} << 10;
constexpr size_t kInputBytesKept = size_t{256} << 10;
constexpr size_t kWordsKept = 4'096;
// Written to one connection before others have their turn.
constexpr size_t kWrittenAtOnce = size_t{256} << 10;

engine::Lane lane_of(const protocol::CommandSpec& spec) {
  return static_cast<engine::Lane>(spec.lane);
}
static_assert(static_cast<int>(protocol::Lane::kFinish) == static_cast<int>(engine::Lane::kFinish));
static_assert(static_cast<int>(protocol::Lane::kFetch) == static_cast<int>(engine::Lane::kFetch));
static_assert(static_cast<int>(protocol::Lane::kPush) == static_cast<int>(engine::Lane::kPush));
static_assert(static_cast<int>(protocol::Lane::kRead) == static_cast<int>(engine::Lane::kRead));

// Whether the command may wait for something, and so holds its connection up.
bool may_wait(const core::Command& command) {
  if (const auto* fetch = std::get_if<core::Fetch>(&command.body))
    return fetch->block_ms.has_value();
  if (const auto* read = std::get_if<core::EventRead>(&command.body))
    return read->block_ms.has_value();
  return std::holds_alternative<core::Wait>(command.body) ||
         std::holds_alternative<core::OperationWait>(command.body);
}

// Whether the answer may hold values of keys.
bool reads_keys(const core::Command& command) {
  const auto* set = std::get_if<core::KeySet>(&command.body);
  return (set != nullptr && set->get) || std::holds_alternative<core::KeyGet>(command.body) ||
         std::holds_alternative<core::KeysGet>(command.body) ||
         std::holds_alternative<core::KeyScan>(command.body) ||
         std::holds_alternative<core::HashGet>(command.body) ||
         std::holds_alternative<core::HashGetMany>(command.body) ||
         std::holds_alternative<core::HashAll>(command.body);
}

// Whether the answer may hold whole jobs or values, or thousands of words.
bool is_heavy(const core::Command& command) {
  return std::holds_alternative<core::Fetch>(command.body) ||
         std::holds_alternative<core::Get>(command.body) ||
         std::holds_alternative<core::Wait>(command.body) ||
         std::holds_alternative<core::ListJobs>(command.body) ||
         std::holds_alternative<core::EventRead>(command.body) ||
         std::holds_alternative<core::WorkerList>(command.body) ||
         std::holds_alternative<core::OperationList>(command.body) ||
         std::holds_alternative<core::QueueList>(command.body) ||
         std::holds_alternative<core::AckMany>(command.body) ||
         std::holds_alternative<core::Bulk>(command.body) || reads_keys(command);
}

// Whether the command has room of its own for thousands of items.
bool is_batch(const core::Command& command) {
  return std::holds_alternative<core::PushMany>(command.body) ||
         std::holds_alternative<core::AckMany>(command.body) ||
         std::holds_alternative<core::Bulk>(command.body) ||
         std::holds_alternative<core::KeysGet>(command.body) ||
         std::holds_alternative<core::KeysDelete>(command.body) ||
         std::holds_alternative<core::KeysExist>(command.body) ||
         std::holds_alternative<core::HashSet>(command.body) ||
         std::holds_alternative<core::HashGetMany>(command.body) ||
         std::holds_alternative<core::HashDelete>(command.body) ||
         std::holds_alternative<core::Exec>(command.body);
}

}  // namespace

Session::Session(Connection connection, SessionHost& host, uint64_t id)
    : connection_(std::move(connection)), host_(host), parser_(protocol::kRespLimitsStranger) {
  const LocalContext context = host_.local_context();
  client_.shard = shard_ = context.shards.front().get();
  const auto peer = connection_.remote_endpoint();
  client_.id = id;
  address_ = peer.address();
  client_.peer = peer.address().to_string() + ":" + std::to_string(peer.port());
  client_.authenticated = context.roll.is_public();
  client_.connected = context.clock.wall();
  if (client_.authenticated) {
    parser_.set_limits(protocol::kRespLimitsClient);
  } else {
    is_stranger_ = true;
    host_.doorman().stranger_came(address_);
  }
}

Session::~Session() {
  end_strangeness();
  host_.buffers().change(held_bytes_, 0);
}

void Session::start() {
  read();
}

// --- Reading.

void Session::read() {
  if (reading_ || closed_ || hung_up_ || held_back_ || parse_posted_) return;
  const size_t ahead_max = is_stranger_ ? kHeldInputBytesMaxStranger : kHeldInputBytesMax;
  if (!may_parse() && !lingers_ && unread() >= ahead_max) return;
  if (!host_.buffers().may_read(held_bytes_)) {
    held_back_ = true;
    return host_.buffers().hold_back(id());
  }
  reading_ = true;
  // Without a buffer until there is something to read: most connections are idle.
  connection_.wait_for_bytes([this](error_code error) {
    reading_ = false;
    if (error) hung_up_ = true;
    on_readable();
  });
}

void Session::on_readable() {
  if (closed_) return end_if_over();
  if (hung_up_) return on_read(0);
  make_room();
  const auto room = boost::asio::buffer(input_.data() + input_end_, input_.size() - input_end_);
  error_code error;
  const size_t size = connection_.read_some(room, error);
  if (error == boost::asio::error::would_block) return read();
  if (error == boost::asio::error::timed_out) return end_for(error);
  if (error) hung_up_ = true;
  input_end_ += size;
  was_read_ = true;
  on_read(size);
}

// Room behind what was read. It starts small, and doubles while reads fill it.
void Session::make_room() {
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
    if (input_.size() > kInputBytesKept) std::vector<char>().swap(input_);
  } else if (input_begin_ > input_.size() / 2) {
    std::copy(input_.begin() + static_cast<ptrdiff_t>(input_begin_),
              input_.begin() + static_cast<ptrdiff_t>(input_end_), input_.begin());
    input_end_ -= input_begin_;
    input_begin_ = 0;
  }
  if (input_.size() - input_end_ >= kReadBytesMin) return;
  const size_t size = input_.size();
  input_.resize(std::max(2 * kReadBytesMin, size < kInputBytesDoubled ? 2 * size : size / 4 * 5));
}

void Session::on_read(size_t size) {
  if (closed_) return end_if_over();
  if (lingers_) {
    lingered_bytes_ += size;
    input_begin_ = input_end_ = 0;
    if (lingered_bytes_ > kLingerBytesMax) close();
  } else if (size != 0) {
    parse();
  }
  // A worker that hangs up gets no more jobs: what it waits for is taken back.
  const bool waits = blocking_ != nullptr && blocking_->change != Slot::Change::kNamespace;
  if (hung_up_ && !closed_ && (waits || waits_for_fetch())) close();
  // What is understood needs no room, and a large request may have had much of it.
  if (unread() == 0 && input_.size() > kInputBytesKept) make_room();
  account();
  if (!closed_) read();
  end_if_over();
}

bool Session::waits_for_fetch() const {
  return std::ranges::any_of(slots_, [](const auto& slot) { return slot->fetches; });
}

bool Session::may_parse() const {
  const size_t owed_max = client_.authenticated ? kOwedBytesMax : kOwedBytesMaxStranger;
  return blocking_ == nullptr && slots_.size() < kSlotsMax && heavy_ < kHeavyMax &&
         given_back_ == 0 && !client_.quits && owed() < owed_max;
}

// Understands what was read, as far as the bounds allow. Answers that are there at once make room
// for more of it; nothing else would ever come back to the rest. It goes on when the others had
// their turn: a pipeline of very many commands holds up nobody but its own connection.
void Session::parse() {
  if (parse_posted_) return;
  const bool more = parse_some();
  submit_lent();
  send();
  if (closed_ || !more || !may_parse()) return;
  parse_posted_ = true;
  boost::asio::post(connection_.loop(), [this] {
    parse_posted_ = false;
    if (!closed_) parse();
    on_read(0);
  });
}

// Returns whether a bound ended it, not the end of what was read.
bool Session::parse_some() {
  size_t at_once = 0;
  while (may_parse() && at_once < kAnswersAtOnce) {
    const std::string_view unread(input_.data() + input_begin_, input_end_ - input_begin_);
    if (unread.empty()) return false;
    const protocol::ParseStatus status = parser_.parse(unread);
    if (status == protocol::ParseStatus::kNeedMore) return false;
    if (status == protocol::ParseStatus::kError) {
      protocol_error();
      return false;
    }
    if (!parser_.arguments().empty()) {
      handle(parser_.arguments());
      if (!slots_.empty() && slots_.back()->done) {
        note_answer(*slots_.back());
        ++at_once;
      }
    }
    input_begin_ += parser_.consumed();
  }
  return true;
}

void Session::handle(protocol::Arguments arguments) {
  ++client_.commands;
  const protocol::CommandSpec* spec = protocol::find_command(arguments[0]);
  if (!client_.authenticated && (spec == nullptr || !spec->has(protocol::command_flag::kPreAuth))) {
    return answer_error({ErrorCode::kNoAuth, "Authentication required: AUTH <token> first"});
  }
  if (spec == nullptr) {
    transaction_.spoil();
    return answer_error(protocol::unknown_command(arguments));
  }
  if (client_.principal) {
    const base::Status may = auth::may_ask(*spec, client_.principal->rights);
    if (!may) return refuse(*spec, may.error());
  }
  if (only_listens() && !may_ask_while_listening(*spec)) {
    return answer_error(
        {ErrorCode::kErr, fmt::format("Can't execute '{}': only (P)SUBSCRIBE, (P)UNSUBSCRIBE, "
                                      "PING, QUIT and RESET are allowed in this context. Use "
                                      "another connection, or say HELLO 3 before you subscribe",
                                      protocol::lower_case(spec->name))});
  }
  using protocol::CommandId;
  const bool transaction = spec->id == CommandId::kMulti || spec->id == CommandId::kExec ||
                           spec->id == CommandId::kDiscard;
  if (transaction) return handle_transaction(*spec, arguments);
  const bool ends_transaction = spec->id == CommandId::kReset || spec->id == CommandId::kQuit;
  if (transaction_.is_open() && !ends_transaction) return queue_in_transaction(*spec, arguments);
  const bool leaves_resp3 = spec->id == CommandId::kHello && arguments.size() > 1 &&
                            arguments[1] == "2" && client_.version == protocol::RespVersion::kResp3;
  if (is_subscriber() && leaves_resp3) {
    return answer_error({ErrorCode::kErr,
                         "HELLO 2 while subscribed: messages would be taken for answers. "
                         "UNSUBSCRIBE and PUNSUBSCRIBE first"});
  }
  if (Subscriptions::is_subscription(spec->id)) return handle_subscription(*spec, arguments);
  if (only_listens() && spec->id == CommandId::kPing) return answer_ping(arguments);
  if (spec->local()) return handle_local(*spec, arguments);
  handle_command(*spec, arguments);
}

protocol::Arguments Session::copy_words(Slot& slot, protocol::Arguments arguments) {
  size_t size = 0;
  for (const std::string_view word : arguments) size += word.size();
  slot.bytes.clear();
  char* at = slot.bytes.extend(size);  // At once: views into it stay right.
  if (words_.capacity() > kWordsKept) std::vector<std::string_view>().swap(words_);
  words_.resize(arguments.size());
  for (size_t i = 0; i < words_.size(); ++i) {
    words_[i] = {at, arguments[i].size()};
    at = base::copy_part(at, arguments[i]);
  }
  return words_;
}

void Session::handle_command(const protocol::CommandSpec& spec, protocol::Arguments arguments) {
  Slot& slot = add_slot();
  const protocol::Arguments words = copy_words(slot, arguments);
  if (const base::Status read = protocol::decode_into(spec, words, slot.command); !read) {
    slot.command = {};  // However large it was: nobody counts it while its answer waits.
    slot.bytes = {};
    slot.answer.reply.error(read.error());
    slot.done = true;
    return;
  }
  const bool is_judged = client_.principal || spec.has(protocol::command_flag::kAudit);
  if (is_judged && !may_do(spec, slot)) return;
  slot.lane = lane_of(spec);
  slot.fetches = std::holds_alternative<core::Fetch>(slot.command.body);
  if (slot.fetches && hung_up_) {
    slot.answer.reply.array(0);  // Nobody is there for a job.
    slot.done = true;
    return;
  }
  slot.parked = slot.fetches && host_.is_stopping();
  if (slot.parked) return;
  slot.heavy = is_heavy(slot.command);
  if (slot.heavy) ++heavy_;
  if (may_wait(slot.command)) blocking_ = &slot;
  lend(slot, words.size());
}

// --- MULTI, EXEC, DISCARD.

void Session::handle_transaction(const protocol::CommandSpec& spec, protocol::Arguments arguments) {
  using protocol::CommandId;
  if (const base::Status fits = protocol::check_arity(spec, arguments); !fits) {
    transaction_.spoil();
    return answer_error(fits.error());
  }
  const bool begins = spec.id == CommandId::kMulti;
  if (begins && transaction_.is_open()) {
    return answer_error({ErrorCode::kErr, "MULTI calls can not be nested"});
  }
  if (!begins && !transaction_.is_open()) {
    return answer_error({ErrorCode::kErr, std::string(spec.name) + " without MULTI"});
  }
  Slot& slot = add_slot();
  if (spec.id == CommandId::kExec) return exec(slot);
  if (begins) {
    transaction_.open();
  } else {
    transaction_.drop();
  }
  slot.answer.reply.ok();
  slot.done = true;
}

void Session::queue_in_transaction(const protocol::CommandSpec& spec,
                                   protocol::Arguments arguments) {
  const base::Status added = transaction_.add(spec, arguments, client_.rights());
  if (!added) {
    const bool is_refused = added.error().code == ErrorCode::kNoPerm;
    return is_refused ? refuse(spec, added.error()) : answer_error(added.error());
  }
  Slot& slot = add_slot();
  slot.answer.reply.simple("QUEUED");
  slot.done = true;
}

void Session::exec(Slot& slot) {
  base::Result<Transaction::Batch> batch = transaction_.take();
  if (!batch) {
    slot.answer.reply.error(batch.error());
    slot.done = true;
    return;
  }
  slot.parts = std::move(batch->parts);
  slot.principal = client_.principal;
  slot.audited = std::move(batch->audited);
  slot.heavy = std::ranges::any_of(batch->commands.commands, reads_keys);
  if (slot.heavy) ++heavy_;
  slot.command.body = std::move(batch->commands);
  slot.lane = batch->reads ? engine::Lane::kRead : engine::Lane::kPush;
  lend(slot, SIZE_MAX);
}

// --- To the engine and back.

Slot& Session::add_slot() {
  std::unique_ptr<Slot> slot;
  if (free_.empty()) {
    slot = std::make_unique<Slot>();
  } else {
    slot = std::move(free_.back());
    free_.pop_back();
    unhold(*slot);
  }
  slot->owner = this;
  slot->session = client_.id;
  slot->order = &order_;
  slot->version = client_.version;
  slot->done = false;
  slot->given_back = false;
  slot->fetches = false;
  slot->heavy = false;
  slot->parked = false;
  slot->verbatim = false;
  slot->change = Slot::Change::kNone;
  slot->answer.clear();
  slots_.push_back(std::move(slot));
  return *slots_.back();
}

void Session::answer_error(const base::Error& error) {
  Slot& slot = add_slot();
  slot.answer.reply.error(error);
  slot.done = true;
}

void Session::submit_lent() {
  if (to_lend_.empty()) return;
  host_.lend(*shard_, to_lend_);
  to_lend_.clear();
}

void Session::answered(Slot& slot) {
  ASSERT(lent_ > 0);
  --lent_;
  if (slot.given_back) {
    ++given_back_;
    return;
  }
  if (blocking_ == &slot) blocking_ = nullptr;
  if (closed_ && !slot.answer.grants.empty()) undo(std::move(slot.answer.grants));
  slot.done = true;
  if (!slot.internal) note_answer(slot);
  if (!slot.audited.empty()) audit(slot);
  if (slot.internal) {
    std::erase_if(internal_, [&](const auto& held) { return held.get() == &slot; });
  }
}

void Session::undo(Grants grants) {
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
  host_.lend(*shard_, std::span(&request, 1));
}

void Session::flush() {
  if (closed_) return end_if_over();
  send();
  if (!closed_ && missed_ != 0) tell_missed();
  if (!closed_ && given_back_ != 0) lend_again();
  if (!closed_ && input_begin_ < input_end_) parse();
  account();
  if (!closed_) read();
  end_if_over();
}

// --- Writing.

// Sends what is answered. What the peer does not take stays in the slots, save a little.
void Session::send() {
  do {
    encode_done();
    write();
  } while (!closed_ && output_.empty() && front_is_ready());
}

// Requires: all before it is out.
bool Session::front_is_ready() const {
  if (slots_.empty()) return false;
  return slots_.front()->done || slots_.front()->change == Slot::Change::kNamespace;
}

void Session::encode_done() {
  while (!slots_.empty() && output_.size() < kOwedBytesMax) {
    Slot& front = *slots_.front();
    if (front.change != Slot::Change::kNone && !carry_out(front)) return;
    if (!front.done) return;
    std::unique_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    let_go(*slot);
    output_.add(slot->answer.reply, slot->version, slot->verbatim, std::move(slot->answer.grants));
    recycle(std::move(slot));
  }
}

void Session::recycle(std::unique_ptr<Slot> slot) {
  slot->parts.clear();
  slot->principal.reset();
  slot->audited.clear();
  const size_t size = slot->bytes.capacity() + slot->answer.reply.tape().size();
  const bool is_large = size > kSlotBytesKept || is_batch(slot->command);
  if (free_.size() >= kFreeSlotsMax || is_large) return;
  hold(*slot, sizeof(Slot) + size);
  free_.push_back(std::move(slot));
}

void Session::write() {
  if (closed_ || is_writing_) return;
  // Most answers fit the kernel's buffer: then no round through the reactor is needed. TLS takes
  // one record at a time.
  for (size_t written = 0; !output_.empty() && written < kWrittenAtOnce;) {
    error_code error;
    const std::string_view pending = output_.pending();
    const size_t size =
        connection_.write_some(boost::asio::buffer(pending.data(), pending.size()), error);
    if (error && error != boost::asio::error::would_block) return end_for(error);
    output_.taken(size);
    bytes_taken_ += size;
    written += size;
    if (error) break;
  }
  if (output_.empty()) return;
  is_writing_ = true;
  connection_.wait_for_room([this](error_code failed) {
    is_writing_ = false;
    if (closed_) return end_if_over();
    if (failed) return close();
    flush();
  });
}

// --- The end.

void Session::close() {
  if (closed_) return;
  closed_ = true;
  order_.gone.store(true, std::memory_order_relaxed);
  submit_lent();
  end_strangeness();  // The peer that sees the end may come again at once.
  connection_.close();
  Grants ungot = output_.take_ungot();
  for (const auto& slot : slots_) {
    const Grants& grants = slot->answer.grants;
    if (slot->done) ungot.insert(ungot.end(), grants.begin(), grants.end());
  }
  undo(std::move(ungot));  // Also ends what it waits for.
  end_subscriptions();
  if (login_pause_) login_pause_->cancel();
  trim();
  account();
  end_if_over();
}

void Session::end_if_over() {
  if (!closed_) {
    const bool all_out = slots_.empty() && output_.empty();
    if (!all_out || parse_posted_ || !(hung_up_ || client_.quits)) return;
    if (faulty_ && !hung_up_) return linger();
    return close();
  }
  if (lent_ != 0 || reading_ || is_writing_ || pausing_ || parse_posted_ || ended_) {
    return;
  }
  ended_ = true;
  host_.session_ended(*this);
}

bool Session::is_busy() const {
  if (closed_) return lent_ != 0;
  return lent_ != 0 || given_back_ != 0 || !output_.empty() || connection_.available() != 0;
}

void Session::end_fetches() {
  for (const auto& slot : slots_) {
    if (!slot->parked || slot->done) continue;
    slot->answer.reply.array(0);
    slot->done = true;
    note_answer(*slot);
  }
  flush();
}

}  // namespace server
