// One RESP connection: reads commands, lends them to the engine, writes the answers in order.
//
// A command that may wait (FETCH and WAIT with BLOCK) holds back those behind it on its connection,
// and no other. A lease counts as given only when the kernel has taken all of its reply; otherwise
// it is taken back.
//
// Lifetime: the server holds a session until its connection is closed and the engine has returned
// all that was lent. Threading: the I/O thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "protocol/resp_parser.h"
#include "server/audit_log.h"
#include "server/client.h"
#include "server/connection.h"
#include "server/local_commands.h"
#include "server/output.h"
#include "server/transaction.h"

namespace server {

class Session;

// A request and its place in the order of answers.
struct Slot : engine::Request {
  Session* owner = nullptr;
  auth::PrincipalPtr principal;  // Whose rights the command points to.
  std::vector<Audited> audited;
  protocol::RespVersion version = protocol::RespVersion::kResp2;
  bool done = false;      // Answered; waits for those before it.
  bool internal = false;  // Nobody is written an answer: kClose, UndoGrants.
  bool fetches = false;   // Is a FETCH that wants a job.
  bool heavy = false;     // Its answer may hold whole jobs.
  bool parked = false;    // A FETCH that came during shutdown; see Session::end_fetches.
  bool verbatim = false;  // Its answer is text for people.
};

// What sessions need of the server.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // Hands commands to the engine, together with those of other sessions that are read now. They
  // come back by `answered`, those for which there was no room too.
  virtual void lend(std::span<engine::Request* const> requests) = 0;
  virtual LocalContext local_context() = 0;
  virtual AuditLog& audit_log() = 0;
  // No job is handed out any more: a FETCH has to wait for its empty answer (see end_fetches).
  virtual bool is_stopping() const = 0;
  // The session is over and nothing of it is lent any more. It is destroyed later, since it may
  // still be on the stack.
  virtual void session_ended(Session& session) = 0;
};

class Session {
 public:
  Session(Connection connection, SessionHost& host, uint64_t id);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  // A lent request came back. `flush` is called after the last one of a batch.
  void answered(Slot& slot);
  void flush();
  // Ends the connection now.
  void close();

  // Whether something is being done for the client, or on its way to or from it.
  bool is_busy() const;
  // Whether what it proved is still good; if not, the server closes it.
  bool may_stay() const;
  // At shutdown: answers the fetches that came since. Until then they are not answered, or workers
  // would ask again and again for as long as the server waits for others' acks.
  void end_fetches();

  uint64_t id() const { return client_.id; }
  bool flush_wanted = false;  // For the server, while it hands a batch of answers out.

 private:
  void read();
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
  void audit_login(const protocol::CommandSpec& spec, const core::Reply& reply) const;
  void audit(const Slot& slot) const;
  void handle_local(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void handle_command(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void handle_transaction(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void queue_in_transaction(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void exec(Slot& slot);
  void protocol_error();

  Slot& add_slot();
  // Copies the words into the slot; the views are good until the next call.
  protocol::Arguments copy_words(Slot& slot, protocol::Arguments arguments);
  void answer_error(const base::Error& error);
  bool waits_for_fetch() const;
  void lend(Slot& slot);
  void submit_lent();
  void undo(Grants grants);
  void submit_internal(std::unique_ptr<Slot> slot);

  void send();
  void encode_done();
  void recycle(std::unique_ptr<Slot> slot);
  void write();
  void end_if_over();

  Connection connection_;
  SessionHost& host_;
  Client client_;
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
  size_t heavy_ = 0;                // Of slots_.
  const Slot* blocking_ = nullptr;  // Holds back what comes behind it.

  Output output_;
  Transaction transaction_;

  bool reading_ = false;
  bool is_writing_ = false;  // Waits for room in the kernel.
  bool hung_up_ = false;     // The peer sends nothing more; it may still read.
  bool closed_ = false;
  bool ended_ = false;  // The server has been told.
};

}  // namespace server
