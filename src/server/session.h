// One RESP connection: reads commands, lends them to the engine, writes the answers in order.
//
// A command that may wait (FETCH and WAIT with BLOCK) holds back those behind it on its connection,
// and no other. A lease counts as given only when the kernel has taken all of its reply; otherwise
// it is taken back.
//
// Lifetime: the server holds a session until its connection is closed and the engine has returned
// all that was lent. Threading: the I/O thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "protocol/resp_parser.h"
#include "server/audit_log.h"
#include "server/buffer_keeper.h"
#include "server/client.h"
#include "server/connection.h"
#include "server/doorman.h"
#include "server/local_commands.h"
#include "server/output.h"
#include "server/shard.h"
#include "server/slot.h"
#include "server/subscriptions.h"
#include "server/transaction.h"

namespace server {

// What sessions need of the server.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // Hands commands to the engine of a namespace, together with those of other sessions that are
  // read now. They come back by `answered`, those for which there was no room too.
  virtual void lend(Shard& shard, std::span<engine::Request* const> requests) = 0;
  // Forgets all in the namespace; the session with this id is told by `was_reset`. Errors: what is
  // in the way; then nothing is done and nothing told.
  virtual base::Status reset(Shard& shard, uint64_t asker) = 0;
  virtual LocalContext local_context() = 0;
  virtual const ConnectionLimits& limits() const = 0;
  virtual Doorman& doorman() = 0;
  virtual BufferKeeper& buffers() = 0;
  virtual AuditLog& audit_log() = 0;
  // No job is handed out any more: a FETCH has to wait for its empty answer (see end_fetches).
  virtual bool is_stopping() const = 0;
  // The session is over and nothing of it is lent any more. It is destroyed later, since it may
  // still be on the stack.
  virtual void session_ended(Session& session) = 0;
};

class Session final : public EventListener {
 public:
  Session(Connection connection, SessionHost& host, uint64_t id);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  // A lent request came back. `flush` is called after the last one of a batch.
  void answered(Slot& slot);
  void flush();
  // Ends the connection now.
  void close();
  // The same, for the server's own reasons: counted and logged.
  void put_out(Closure why);

  // A tick is over: ends the connection if it took too long for something, lets go of memory that
  // an idle connection does not need.
  void tick();
  // It was held back for what all connections hold, and may be read again if that is less now.
  void resume();
  bool is_held_back() const { return held_back_; }
  bool is_closed() const { return closed_; }
  uint32_t ticks_held_back() const { return held_back_ticks_; }
  // Whether it holds memory for a peer that does not read, or does not send what it began.
  bool does_not_read() const { return is_writing_; }
  bool is_to_blame() const { return is_writing_ || (unread() != 0 && lent_ == 0); }
  // Of memory, as of the last `account`.
  uint64_t held_bytes() const { return held_bytes_; }

  // Whether something is being done for the client, or on its way to or from it.
  bool is_busy() const;
  // Whether what it proved is still good; if not, the server closes it.
  bool may_stay() const;
  // At shutdown: answers the fetches that came since. Until then they are not answered, or workers
  // would ask again and again for as long as the server waits for others' acks.
  void end_fetches();
  // What it had asked the host for.
  void was_reset(base::Status emptied);
  Shard& shard() const { return *shard_; }

  void event(std::string_view channel, std::string_view json) override;
  void missed(uint64_t events) override { missed_ += events; }
  void told() override;

  uint64_t id() const { return client_.id; }
  bool flush_wanted = false;  // For the server, while it hands a batch of answers out.

 private:
  void read();
  void on_readable();
  void make_room();
  void on_read(size_t size);
  void parse();
  bool parse_some();
  bool may_parse() const;
  void handle(protocol::Arguments arguments);
  // Whether the client's rights allow the command of the slot; answers it if not.
  bool may_do(const protocol::CommandSpec& spec, Slot& slot);
  void refuse(const protocol::CommandSpec& spec, const base::Error& error);
  void note_refusal(const protocol::CommandSpec& spec, std::string_view outcome) const;
  void audit_local(const protocol::CommandSpec& spec, const core::Reply& reply) const;
  void audit(const Slot& slot) const;
  void note_reset(const base::Status& outcome) const;
  void handle_local(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void handle_command(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void handle_transaction(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void queue_in_transaction(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void exec(Slot& slot);
  // Changes of the connection itself.
  bool carry_out(Slot& slot);
  bool change_namespace();
  bool reset_namespace(Slot& slot);
  void handle_reset(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  bool front_is_ready() const;
  // Events; see session_events.cc.
  bool is_subscriber() const { return subscriptions_.size() != 0; }
  bool only_listens() const;
  static bool may_ask_while_listening(const protocol::CommandSpec& spec);
  void answer_ping(protocol::Arguments arguments);
  void handle_subscription(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  bool change_subscriptions(Slot& slot);
  void end_subscriptions();
  void review_subscriptions();
  void tell_missed();

  void protocol_error();
  bool is_barred_login(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void watch_login(Slot& slot, bool was_authenticated);
  void pause_after_failed_login(Slot& slot);

  Slot& add_slot();
  // Copies the words into the slot; the views are good until the next call.
  protocol::Arguments copy_words(Slot& slot, protocol::Arguments arguments);
  void answer_error(const base::Error& error);
  bool waits_for_fetch() const;
  // `words`: of the request.
  void lend(Slot& slot, size_t words);
  void lend_again();
  void submit_lent();
  void undo(Grants grants);
  void submit_internal(std::unique_ptr<Slot> slot);

  void send();
  void encode_done();
  void recycle(std::unique_ptr<Slot> slot);
  void write();
  void end_if_over();
  void end_for(boost::system::error_code error);
  void linger();

  // What it holds; see session_watch.cc.
  size_t unread() const { return input_end_ - input_begin_; }
  size_t owed() const { return output_.size() + owed_bytes_; }
  void hold(Slot& slot, size_t bytes);
  void unhold(Slot& slot);
  void let_go(Slot& slot);
  void note_answer(Slot& slot);
  void account();
  void trim();
  bool is_late();
  void end_strangeness();

  Connection connection_;
  boost::asio::ip::address address_;
  SessionHost& host_;
  Client client_;
  Shard* shard_;  // Where its commands go: client_.shard, once all before that is answered.
  protocol::RespParser parser_;
  engine::SessionOrder order_;
  std::vector<std::string_view> words_;

  std::vector<char> input_;  // Read, not yet understood: from input_begin_ to input_end_.
  size_t input_begin_ = 0;
  size_t input_end_ = 0;
  std::deque<std::unique_ptr<Slot>> slots_;  // In order of their answers.
  std::vector<std::unique_ptr<Slot>> free_;  // To be used again, with their memory.
  std::deque<std::unique_ptr<Slot>> internal_;
  std::vector<engine::Request*> to_lend_;
  size_t lent_ = 0;
  size_t given_back_ = 0;           // Of slots_, to be lent again.
  size_t heavy_ = 0;                // Of slots_.
  const Slot* blocking_ = nullptr;  // Holds back what comes behind it.

  Output output_;
  Transaction transaction_;
  Subscriptions subscriptions_;
  uint64_t missed_ = 0;  // Events that it could not take, since it was told of some.

  bool reading_ = false;
  bool is_writing_ = false;    // Waits for room in the kernel.
  bool parse_posted_ = false;  // There is more to understand, after the others' turn.
  bool hung_up_ = false;       // The peer sends nothing more; it may still read.
  bool closed_ = false;
  bool ended_ = false;  // The server has been told.

  std::unique_ptr<boost::asio::steady_timer> login_pause_;  // After a login that failed.
  bool pausing_ = false;
  bool is_stranger_ = false;  // The doorman counts it as one.
  bool faulty_ = false;       // Is turned away, and has to see why.
  bool lingers_ = false;      // Has been told; what it still sends is not looked at.
  bool held_back_ = false;    // Is not read for what all connections hold.

  uint64_t held_bytes_ = 0;  // As the keeper knows it.
  size_t slot_bytes_ = 0;    // Of slots_ and free_, with their requests and answers.
  size_t owed_bytes_ = 0;    // Of answers in slots_.
  size_t lingered_bytes_ = 0;

  // Ticks in a row in which something did not get on, and how it stood at the tick before.
  uint32_t login_ticks_ = 0;
  uint32_t request_ticks_ = 0;
  uint32_t owing_ticks_ = 0;
  uint32_t held_back_ticks_ = 0;
  uint32_t linger_ticks_ = 0;
  uint64_t commands_at_tick_ = 0;
  uint64_t bytes_taken_ = 0;  // By the peer, since owing_ticks_ began.
  bool was_read_ = false;     // Since the tick before.
};

}  // namespace server
