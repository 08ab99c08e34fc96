#include "node/configuration.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/configuration_table.h"

namespace node {
namespace {

std::string problems(std::string_view text) { return read_configuration(text).text("f.toml"); }

}  // namespace

TEST_CASE("an empty file means the defaults, and the defaults are a file") {
  CHECK(problems("") == "");
  const std::string shown = show_configuration({});
  const ConfigurationReading again = read_configuration(shown);
  CHECK(again.text("f") == "");
  CHECK(show_configuration(again.configuration) == shown);
}

TEST_CASE("settings arrive where they are used") {
  const ConfigurationReading reading = read_configuration(
      "listen = \"0.0.0.0:9000\"\n"
      "operator_listen = \"[::1]:0\"\n"
      "[tls]\nversion_min = \"1.2\"\ncertificate_file = \"/c.pem\"\nkey_file = \"/k.pem\"\n"
      "[pipeline]\nqueue_max = 77\ntick_interval_ms = 5\n"
      "[http]\nheader_deadline_ms = 1500\nheader_bytes_max = 4096\n"
      "[gate]\ntoken_lifetime_seconds = 60\nrate_per_second = 9\n"
      "[ledger]\nopen_holds_max = 12\n"
      "[views]\nevery_transfer = true\n");
  CHECK(reading.text("f") == "");
  const Configuration& c = reading.configuration;
  CHECK(c.listen == io::Endpoint{.address = "0.0.0.0", .port = 9000});
  CHECK(c.operator_listen == io::Endpoint{.address = "::1", .port = 0});
  CHECK(c.tls.allow_tls12);
  CHECK(c.tls.key_file == "/k.pem");
  CHECK(c.service.pipeline.queue_max == 77);
  CHECK(c.service.pipeline.tick_interval_ms == 5);
  CHECK(c.server_options().http1.http.header_deadline_ns == 1'500'000'000);
  CHECK(c.server_options().http2.http.header_bytes_max == 4096);
  CHECK(c.gate.token_lifetime == base::seconds(60));
  CHECK(c.api_options().rate.per_second == 9);
  CHECK(c.service.engine.bounds.open_holds_max == 12);
  CHECK(c.views_every_transfer);
}

TEST_CASE("a path of any characters is shown as a text that means the same") {
  const ConfigurationReading odd = read_configuration("[custody]\nmaster_key_file = \"/a\\\"b\\\\c\\u0007\\u007f\\u00e9\"\n");
  CHECK(odd.text("f") == "");
  CHECK(odd.configuration.master_key_file == "/a\"b\\c\x07\x7f\xc3\xa9");
  CHECK(read_configuration(show_configuration(odd.configuration)).configuration.master_key_file == odd.configuration.master_key_file);
}

TEST_CASE("a setting nobody knows is refused, with the name that was probably meant") {
  CHECK(problems("lisen = \"127.0.0.1:1\"\n") == "f.toml:1: there is no setting lisen; did you mean listen?");
  CHECK(problems("\n[pipeline]\nqueue_mx = 3\n") == "f.toml:3: there is no setting pipeline.queue_mx; did you mean pipeline.queue_max?");
  CHECK(problems("queue_max = 3\n") == "f.toml:1: there is no setting queue_max; did you mean pipeline.queue_max?");
  CHECK(problems("[elsewhere]\nthing = 3\n") == "f.toml:2: there is no setting elsewhere.thing");
  CHECK(problems("[listen]\nport = 3\n") == "f.toml:2: there is no setting listen.port");
  CHECK(problems("pipeline = 3\n") == "f.toml:1: there is no setting pipeline");
}

TEST_CASE("types and ranges are checked, all problems at once, with lines") {
  CHECK(problems("[pipeline]\nqueue_max = 0\nidle_seal_ms = \"5\"\ntick_interval_ms = -1\ngroup_entries_max = 1.5\n"
                 "[views]\nevery_transfer = 1\n") ==
        "f.toml:2: pipeline.queue_max must be a whole number from 1 to 10000000\n"
        "f.toml:3: pipeline.idle_seal_ms must be a whole number from 10 to 3600000\n"
        "f.toml:4: pipeline.tick_interval_ms must be a whole number from 1 to 60000\n"
        "f.toml:5: pipeline.group_entries_max must be a whole number from 1 to 1000000\n"
        "f.toml:7: views.every_transfer must be true or false");
  CHECK(problems("listen = \"localhost:80\"\n") ==
        "f.toml:1: listen must be ADDRESS:PORT with a numeric address, like 127.0.0.1:8443 or [::1]:8443");
  CHECK(problems("listen = [1]\n") == "f.toml:1: listen must be a text");
  CHECK(problems("[tls]\nversion_min = \"1.1\"\n") == "f.toml:2: tls.version_min must be \"1.3\" or \"1.2\"");
  CHECK(problems("[tls]\nkey_file = \"k.pem\"\n") == "f.toml:2: tls.key_file must be an absolute path");
  CHECK(problems("[revocation]\npolicy = \"lax\"\n") == "f.toml:2: revocation.policy must be \"off\", \"soft\" or \"hard\"");
  CHECK(problems("[revocation]\nhosts = \"http://ca.example\"\n") ==
        "f.toml:2: revocation.hosts must be names like crl.ca.example or *.ca.example, separated by commas");
  CHECK(problems("[revocation]\nnetworks = \"10.0.0.1\"\n") == "f.toml:2: revocation.networks must be networks like 10.1.0.0/16, separated by commas");
  CHECK(problems("[revocation]\npolicy = \"hard\"\nhosts = \"*.ca.example, 10.1.2.3\"\nnetworks = \"10.1.0.0/16\"\n").empty());
}

TEST_CASE("every number takes its bounds and nothing beyond them") {
  for (const Setting& setting : settings()) {
    if (setting.kind != Setting::Kind::number) continue;
    CAPTURE(std::string(setting.name));
    Configuration configuration;
    const auto now = std::get<std::uint64_t>(setting.get(configuration));
    CHECK(now >= setting.min);
    CHECK(now <= setting.max);
    for (const std::uint64_t bound : {setting.min, setting.max}) {
      CHECK_FALSE(setting.set(configuration, bound).has_value());
      CHECK(std::get<std::uint64_t>(setting.get(configuration)) == bound);
    }
    const std::string name(setting.name);
    CHECK(problems(name + " = " + std::to_string(setting.max + 1)).find(name + " must be") != std::string::npos);
  }
}

TEST_CASE("settings that contradict each other") {
  CHECK(problems("[tls]\ncertificate_file = \"/c\"\n") == "f.toml: tls.certificate_file and tls.key_file belong together");
  CHECK(problems("[tls]\nclient_certificate_required = true\n") == "f.toml: tls.client_certificate_required needs tls.client_ca_file");
  CHECK(problems("operator_listen = \"10.0.0.1:1\"\n[operator]\nmetrics_open = true\n") ==
        "f.toml: operator.metrics_open is for a loopback operator_listen only");
  CHECK(problems("operator_listen = \"127.0.0.1:8443\"\n") == "f.toml: listen and operator_listen must differ");
  CHECK(problems("[journal]\nsegment_bytes = 67108865\n") == "f.toml: journal.segment_bytes must be a multiple of 4096");
  CHECK(problems("[pipeline]\ngroup_bytes_max = 67108864\n").find("journal.segment_bytes must exceed") != std::string::npos);
  CHECK(problems("[ledger]\nhold_seconds_min = 10\nhold_seconds_max = 9\n") == "f.toml: ledger.hold_seconds_min must not exceed ledger.hold_seconds_max");
}

TEST_CASE("text that is not TOML") {
  CHECK(problems("listen = \n").starts_with("f.toml:1: "));
  CHECK(problems("[pipeline]\nqueue_max = 3\nqueue_max = 4\n").starts_with("f.toml:3: "));
  CHECK(problems("listen = \"\xff\"\n") == "f.toml: the file is not UTF-8");
  CHECK(problems("a = [[[[[[[[").starts_with("f.toml:1: "));
  CHECK(problems(std::string_view("a = 1\n[\0ipeline]\n", 17)) == "f.toml:2: a control character, which TOML forbids");
  CHECK(problems("# \u6ce8\u91ca\n\u540d = 1\n").starts_with("f.toml:2: names and numbers are plain ASCII"));
  CHECK(problems("# \u6ce8\u91ca\n").empty());
}

TEST_CASE("a file that is refused, and one that is not there") {
  const io::TemporaryDirectory directory;
  io::RealFileSystem files;
  const auto missing = load_configuration(files, directory / "no.toml");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == std::string_view("file_not_found"));
  std::ofstream(directory / "bad.toml") << "x = 1\n";
  const auto bad = load_configuration(files, directory / "bad.toml");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code == std::string_view("configuration_refused"));
  CHECK(bad.error().message == (directory / "bad.toml") + ":1: there is no setting x");
}

TEST_CASE("the reference in docs/ is the one of this program") {
  std::ifstream file(HOLDFAST_SOURCE_DIR "/docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  CHECK_MESSAGE(text.str() == configuration_reference(), "holdfast config reference > docs/configuration.md");
}

}  // namespace node
