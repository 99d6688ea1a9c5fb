// Keeps what all connections hold in memory within the budget: who holds much is not read while all
// hold much, and whoever holds most is closed when all hold too much.
//
// Threading: the I/O thread.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "engine/pressure.h"

namespace server {

class BufferKeeper {
 public:
  // The gauge must outlive this. `wake` is called when there is something for `act`.
  BufferKeeper(engine::BufferGauge& gauge, std::function<void()> wake)
      : gauge_(gauge), wake_(std::move(wake)) {}

  // What a connection holds has changed.
  void change(uint64_t before, uint64_t after);
  // Whether a connection that holds this much may be read now.
  bool may_read(uint64_t held) const;
  // It will not be, until it is named by `take_held_back`.
  void hold_back(uint64_t session) { held_back_.push_back(session); }

  // `wake` was called, or time has passed.
  bool is_over() const { return gauge_.used() >= gauge_.budget(); }
  bool is_pressed() const { return gauge_.pressure() >= engine::Pressure::kOrange; }
  // How much has to go until new jobs are taken again.
  uint64_t excess() const;
  bool is_calm() const { return gauge_.pressure() == engine::Pressure::kNone; }
  std::vector<uint64_t> take_held_back() { return std::exchange(held_back_, {}); }
  // What could be done was: `wake` is called again for more than is held now.
  void acted();

 private:
  engine::BufferGauge& gauge_;
  const std::function<void()> wake_;
  std::vector<uint64_t> held_back_;  // Sessions, by id; some are gone.
  bool woken_ = false;
  uint64_t wake_above_ = 0;
};

}  // namespace server
