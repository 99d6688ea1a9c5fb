// What a connection has said since MULTI.
//
// Threading: none; one owner.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/command.h"
#include "protocol/command_lookup.h"
#include "server/audited.h"

namespace server {

class Transaction {
 public:
  // Commands, and the bytes that they point into. Moving it leaves those where they are.
  struct Batch {
    core::Exec commands;
    std::deque<std::string> parts;
    std::vector<Audited> audited;
    bool reads = false;  // Some of them belong to Lane::kRead.
  };

  bool is_open() const { return open_; }
  // Of what it keeps.
  size_t memory_bytes() const {
    return bytes_ + batch_.commands.commands.capacity() * sizeof(core::Command);
  }
  void open();
  // DISCARD, RESET: as if there had been no MULTI.
  void drop();
  // A command was refused before it came here: EXEC will refuse all.
  void spoil() { spoilt_ = true; }

  // Keeps a copy of the command until EXEC. Errors: what refuses it; EXEC will refuse all then.
  // `rights`: of the client, null if it may do everything; they must outlive the batch.
  base::Status add(const protocol::CommandSpec& spec, protocol::Arguments arguments,
                   const core::Rights* rights);

  // EXEC: ends the transaction and returns its commands. Errors: EXECABORT.
  base::Result<Batch> take();

 private:
  base::Status keep(const protocol::CommandSpec& spec, protocol::Arguments arguments,
                    const core::Rights* rights);

  bool open_ = false;
  bool spoilt_ = false;
  size_t bytes_ = 0;
  Batch batch_;
};

}  // namespace server
