#include "server/live_server.h"

#include <csignal>
#include <stdexcept>
#include <utility>

#include "base/assert.h"

namespace server {
namespace {

// A journal in memory behind a gate.
class GatedJournal final : public store::Journal {
 public:
  GatedJournal(store::MemoryDisk& disk, Gate& gate) : journal_(disk), gate_(gate) {}

  base::Result<store::JournalRecovery> open(const store::FrameVisitor& visit) override {
    return journal_.open(visit);
  }
  base::Status append(uint64_t seq, std::span<const std::byte> payload) override {
    gate_.pass();
    return journal_.append(seq, payload);
  }
  base::Status trim(uint64_t seq_needed) override { return journal_.trim(seq_needed); }
  base::Status prepare() override { return journal_.prepare(); }
  base::Status close() override { return journal_.close(); }
  store::JournalSpace space() const override {
    store::JournalSpace space = journal_.space();
    space.slow = gate_.is_closed();
    return space;
  }

 private:
  store::MemoryJournal journal_;
  Gate& gate_;
};

}  // namespace

void Gate::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void Gate::open() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = false;
  }
  changed_.notify_all();
}

bool Gate::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  waited_for_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !closed_; });
  waited_for_ = false;
}

void Gate::wait_for_append() {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, kTestDeadline, [&] { return closed_ && waited_for_; });
  if (!came) throw std::runtime_error("no append came to the gate");
}

LiveServer::Home::Home(const base::Clock& clock_of_all, engine::BufferGauge& gauge_of_all)
    : clock(clock_of_all), buffers(gauge_of_all), engine(make_engine()) {}

std::unique_ptr<engine::Engine> LiveServer::Home::make_engine() {
  Disk& disk = disks.emplace_back();
  return std::make_unique<engine::Engine>(std::make_unique<GatedJournal>(disk.journal, gate),
                                          std::make_unique<store::MemoryTables>(disk.rows), clock,
                                          random, buffers);
}

engine::Engine& LiveServer::Home::replace() {
  old = std::exchange(engine, make_engine());
  return *engine;
}

Renewed LiveServer::Home::renew() {
  ASSERT(old->stop().has_value());
  old.reset();
  ASSERT(engine->recover().has_value());
  return {};
}

std::vector<Served> LiveServer::make_homes(const std::vector<std::string>& namespaces) {
  std::vector<std::string> names = {std::string(auth::kDefaultNamespace)};
  names.insert(names.end(), namespaces.begin(), namespaces.end());
  std::vector<Served> served;
  for (const std::string& name : names) {
    Home& home = homes_.emplace_back(clock_, gauge_);
    ASSERT(home.engine->recover().has_value());
    served.push_back({name, *home.engine, homes_.size() == 1 ? nullptr : &home});
  }
  return served;
}

LiveServer::LiveServer(std::string token, const ConnectionLimits& limits,
                       const std::vector<std::string>& namespaces)
    : roll_({.file = {}, .must_exist = false, .admin_secret = std::move(token)}),
      audit_log_(clock_),
      server_(make_homes(namespaces), gauge_, clock_, {roll_, audit_log_}) {
  server_.set_limits(limits);
  // Signals are for the server's threads alone: whoever wants to end the tests still can.
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  const base::Status listening = server_.listen({"127.0.0.1", 0}, {"127.0.0.1", 0});
  ASSERT(listening.has_value(), "{}", listening.error().message);
  address_ = server_.resp_address();
  http_address_ = server_.http_address();
  thread_ = std::thread([this] { exit_code_ = server_.run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LiveServer::~LiveServer() {
  for (Home& home : homes_) home.gate.open();
  if (!thread_.joinable()) return;
  request_stop();
  request_stop();
  thread_.join();
}

int LiveServer::join() {
  thread_.join();
  return exit_code_;
}

}  // namespace server
