// One RESP connection: reads commands, lends them to the engine, writes the answers in order.
//
// A command that may wait (FETCH and WAIT with BLOCK) holds back those behind it on its connection,
// and no other. A lease counts as given only when the kernel has taken all of its reply; otherwise
// it is taken back.
//
// Lifetime: the server holds a session until its connection is closed and the engine has returned
// all that was lent. Threading: the I/O thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "protocol/resp_parser.h"
#include "server/client.h"
#include "server/local_commands.h"

namespace server {

class Session;

// A request and its place in the order of answers.
struct Slot : engine::Request {
  Session* owner = nullptr;
  protocol::RespVersion version = protocol::RespVersion::kResp2;
  bool done = false;      // Answered; waits for those before it.
  bool internal = false;  // Nobody is written an answer: kClose, UndoGrants.
};

// What sessions need of the server.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual engine::Engine& engine() = 0;
  virtual LocalContext local_context() = 0;
  // The session is over and nothing of it is lent any more. It is destroyed later, since it may
  // still be on the stack.
  virtual void session_ended(Session& session) = 0;
};

class Session {
 public:
  Session(boost::asio::ip::tcp::socket socket, SessionHost& host, uint64_t id);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  // A lent request came back. `flush` is called after the last one of a batch.
  void answered(Slot& slot);
  void flush();
  // Ends the connection now.
  void close();
  // Ends the connection when what is being done for it is answered.
  void finish();

  uint64_t id() const { return client_.id; }
  bool flush_wanted = false;  // For the server, while it hands a batch of answers out.

 private:
  struct Delivery {  // Leases whose reply ends at this byte of the connection's output.
    uint64_t end = 0;
    std::vector<std::pair<core::JobId, core::LeaseToken>> grants;
  };

  void read();
  void make_room();
  void on_read(size_t size);
  void parse();
  bool may_parse() const;
  void handle(protocol::Arguments arguments);
  void handle_command(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void handle_transaction(const protocol::CommandSpec& spec);
  void queue_in_transaction(const protocol::CommandSpec& spec, protocol::Arguments arguments);
  void exec();
  void protocol_error();

  Slot& add_slot();
  // Copies the words into the slot; the views are good until the next call.
  protocol::Arguments copy_words(Slot& slot, protocol::Arguments arguments);
  void answer_error(const base::Error& error);
  void lend(Slot& slot);
  void submit_lent();
  void undo(std::vector<std::pair<core::JobId, core::LeaseToken>> grants);
  void submit_internal(std::unique_ptr<Slot> slot);

  void encode_done();
  void write();
  void on_written(size_t size);
  void end_if_over();

  boost::asio::ip::tcp::socket socket_;
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
  const Slot* blocking_ = nullptr;  // Holds back what comes behind it.

  std::string output_;   // Encoded, not yet given to the kernel from output_begin_ on.
  std::string writing_;  // Given to an asynchronous write.
  uint64_t bytes_encoded_ = 0;
  uint64_t bytes_taken_ = 0;
  std::deque<Delivery> deliveries_;

  // MULTI.
  bool in_transaction_ = false;
  bool transaction_broken_ = false;
  size_t transaction_bytes_ = 0;
  core::Exec transaction_;
  std::deque<std::string> transaction_parts_;

  bool reading_ = false;
  bool is_writing_ = false;
  bool input_ended_ = false;  // The peer, or an error, or QUIT: nothing more is read.
  bool closed_ = false;
  bool ended_ = false;  // The server has been told.
};

}  // namespace server
