#include "store/scrubber.h"

#include "base/assert.h"

namespace store {

Scrubber::~Scrubber() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

void Scrubber::start(Found found) {
  ASSERT(!thread_.joinable(), "started twice");
  found_ = std::move(found);
  thread_ = std::thread([this] { run(); });
}

void Scrubber::begin_pass() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  work_.notify_one();
}

void Scrubber::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  reader_->interrupt();
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Scrubber::wait_for_pass() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || wanted_; });
  wanted_ = false;
  return !stopping_;
}

bool Scrubber::rest(std::chrono::nanoseconds worked) {
  std::unique_lock lock(mutex_);
  return !work_.wait_for(lock, worked * rest_factor_, [this] { return stopping_; });
}

void Scrubber::run() {
  while (wait_for_pass() && run_pass()) {
  }
}

bool Scrubber::run_pass() {
  uint64_t damages = 0;
  const auto found = [&](const base::Error& error) {
    ++damages;
    found_(error);
  };
  base::Status whole;
  std::optional<core::JobId> from = core::JobId{0};
  while (whole && from) {
    const base::MonoTime start = clock_.mono();
    const auto next = reader_->verify(*from, found);
    from = next ? *next : std::nullopt;
    if (!next) whole = tl::unexpected(next.error());
    if (!rest(clock_.mono() - start)) return false;
  }
  if (whole) whole = reader_->verify_rest(found);
  if (is_stopping()) return false;
  if (!whole) found(whole.error());
  counters_.damages.store(damages, std::memory_order_relaxed);
  if (whole) counters_.passes.fetch_add(1, std::memory_order_release);
  return true;
}

bool Scrubber::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace store
