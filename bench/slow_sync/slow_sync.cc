// Makes the disk of a measured server slower: preloaded (LD_PRELOAD), it lets each sync of a file
// take DRAY_SYNC_DELAY_US longer, as a disk further away would. All sides of a run get it.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

std::chrono::microseconds delay() {
  static const char* const text = std::getenv("DRAY_SYNC_DELAY_US");
  static const long us = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return std::chrono::microseconds(us);
}

// The disk is busy with one sync at a time; what waits for it uses no processor.
int slow(const char* name, int file) {
  using Sync = int (*)(int);
  auto* const sync = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name));
  const int result = sync(file);
  const int error = errno;
  std::this_thread::sleep_for(delay());  // tidy: allow sleep because it is what this is for
  errno = error;
  return result;
}

}  // namespace

extern "C" int fdatasync(int file) {
  return slow("fdatasync", file);
}

extern "C" int fsync(int file) {
  return slow("fsync", file);
}
