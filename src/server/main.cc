#include "server/serve.h"
#include "store/system_calls.h"

int main(int argc, char** argv) {
  return server::run_command_line(argc, argv, store::kernel_calls());
}
