// holdfast try: does a key verify a message its owner signed, and if not, why? Offline; nothing is sent or kept.

#include "apps/holdfast/commands.h"
#include "apps/holdfast/try_case.h"
#include "io/posix_file.h"
#include "trial/trial.h"

namespace holdfast {
namespace {

// For openssl(1): what was signed and by whom, in the clear; the owner's alone.
base::Status write_reproduction(const trial::Reproduction& reproduction, const std::string& directory) {
  io::RealFileSystem files;
  constexpr std::uint32_t owner_only = 0600;
  const std::pair<const char*, base::ByteView> contents[] = {{"key.pem", base::as_bytes(reproduction.key_pem)},
                                                             {"base.bin", base::as_bytes(reproduction.base)},
                                                             {"signature.bin", reproduction.signature}};
  for (const auto& [name, bytes] : contents) {
    if (bytes.empty() && std::string_view(name) == "key.pem") continue;
    TRY(io::replace_file(files, directory + "/" + name, bytes, owner_only));
  }
  return base::ok();
}

int run_try(const Arguments& arguments) {
  auto input = read_input(arguments.operands().front(), trial::case_bytes_max);
  if (!input.ok()) {
    fail(input.error());
    return exit_misuse;
  }
  auto one = trial::read_case(base::as_text(*input));
  intake::wipe(input->data(), input->size());
  if (!one.ok()) {
    say(one.error().message + " [" + one.error().code + "]");
    return exit_misuse;
  }
  const trial::Answer answer = try_in_time(*one);
  if (const auto directory = arguments.value("--out"); directory && answer.reproduction) {
    if (const auto written = write_reproduction(*answer.reproduction, absolute_path(*directory)); !written.ok())
      return fail(written.error());
  }
  print(arguments.json() ? trial::to_json(answer) : trial::to_text(answer));
  return answer.verified ? exit_done : exit_failed;
}

}  // namespace

Command try_command() {
  return {
      .name = "try",
      .summary = "try a key on a message its owner signed: verified, or the one thing that is wrong; offline",
      .examples =
          "  holdfast try docs/examples/try-wechat-pay.json\n"
          "  holdfast try callback.json --json\n"
          "  holdfast try callback.json --out /tmp/check   # and repeat the check with openssl\n",
      .verbs =
          {{"",
            "CASE.json|-",
            1,
            1,
            "reads the case, checks the signature, and searches at most 256 variants for the cause when it does not "
            "fit",
            {{"--out", "DIR",
              "write key.pem, base.bin and signature.bin there (mode 0600), for the openssl command of the answer"}},
            run_try}},
      .notes = "Exit codes: 0 verified, 1 not verified, 2 misuse. Format, conventions and causes: docs/trial.md.\n"};
}

}  // namespace holdfast
