// A terminal that is drawn again and again. Where stdout is none, frames follow each other as text.
#pragma once
#include <termios.h>

#include <chrono>
#include <cstddef>
#include <string_view>

namespace cli {

// Owns the terminal's modes and the signals SIGINT, SIGTERM and SIGWINCH: one at a time, and the
// former state comes back with its end. Threading: one owner.
class Screen {
 public:
  // kLeave: the keyboard stays as it is. kTake: q and Ctrl-C end, and the whole screen is used.
  enum class Keys : unsigned char { kLeave, kTake };
  enum class Event : unsigned char { kTime, kResized, kEnd };
  struct Size {
    size_t columns = 0;  // 0: no terminal.
    size_t lines = 0;
  };

  explicit Screen(Keys keys);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  bool is_terminal() const { return is_terminal_; }
  Size size() const;
  // Draws over what is there. A frame that is higher than the screen is cut.
  void show(std::string_view frame) const;
  // Waits until the time is over, the size changed, or somebody wants the end.
  Event wait(std::chrono::milliseconds time) const;

 private:
  bool is_terminal_;
  bool takes_keys_;
  int signals_;  // A descriptor that is readable when one came.
  termios before_ = {};
};

}  // namespace cli
