// A TCP proxy that breaks connections where a test wants it.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sdk_test {

enum class Direction : uint8_t { kToServer, kToClient };

// Threading: any thread may call any method; the cut function is called by threads of the proxy.
class CuttingProxy {
 public:
  // Is asked for each piece of bytes that passes: how many of them may pass before the connection
  // is cut in both directions; kPass: all, and no cut.
  using Cut = std::function<size_t(Direction direction, std::string_view bytes)>;
  static constexpr size_t kPass = static_cast<size_t>(-1);

  CuttingProxy(uint16_t server_port, Cut cut);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::string url() const { return "dray://127.0.0.1:" + std::to_string(port_); }
  size_t cuts() const { return cuts_; }

 private:
  void accept_all();
  void forward(int client);

  const uint16_t server_port_;
  const Cut cut_;
  uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> ended_{false};
  std::atomic<size_t> cuts_{0};
  std::mutex mutex_;
  std::vector<std::thread> threads_;  // Guarded by mutex_.
  std::thread acceptor_;
};

}  // namespace sdk_test
