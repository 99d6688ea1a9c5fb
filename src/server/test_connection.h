// A client for tests: a blocking socket with deadlines, and the replies as values. What fails in it
// fails the test by an exception.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/resp_reply_parser.h"

namespace server {

using protocol::RespValue;
using Words = std::vector<std::string>;

// How long a test waits for what has to come.
inline constexpr std::chrono::seconds kTestDeadline{30};

// The request on the wire.
std::string request(const Words& words);

// Waits until `condition` holds; fails the test when it does not in time.
void until(const std::function<bool()>& condition, std::string_view what);

// One TCP connection. `receive_buffer`: bytes that the kernel may hold unread; 0: its own choice.
// `before_connect` is called when the socket is made, and not connected.
class TestConnection {
 public:
  explicit TestConnection(const std::string& address, int receive_buffer = 0,
                          const std::function<void()>& before_connect = {});
  TestConnection(const TestConnection&) = delete;
  TestConnection& operator=(const TestConnection&) = delete;
  ~TestConnection() { close(); }

  void send(std::string_view bytes);
  void send(const Words& words) { send(request(words)); }
  // Sends as much as the peer takes; returns how much that was. It has stopped when it took nothing
  // for `patience`, or is gone.
  size_t send_while_taken(std::string_view bytes, std::chrono::milliseconds patience);
  // The next reply. Fails when there is none in time.
  RespValue read();
  RespValue call(const Words& words);
  // All bytes until the peer ends the connection.
  std::string read_to_end();
  // Whether the peer ended the connection, with nothing before it.
  bool is_at_end();

  void half_close();
  void close();

 private:
  // Returns bytes received; 0 at the end.
  size_t receive();

  int socket_ = -1;
  std::string unread_;
  protocol::RespReplyParser parser_;
};

// What tests push, and fetch, when it does not matter what.
inline const Words kPush = {"JOB.PUSH", "q", "T", "{}"};
inline const Words kFetch = {"JOB.FETCH", "w", "QUEUES", "1", "q"};
inline const Words kBlockingFetch = {"JOB.FETCH", "w", "BLOCK", "25000", "QUEUES", "1", "q"};

// "OK", the text, the number, "nil", "(error) CODE …", "[a b]", "{field value …}": for comparing.
std::string show(const RespValue& value);
// The same of a field; "absent" of one that the record does not have.
std::string field(const RespValue& record, std::string_view name);

}  // namespace server
