{ lib, rustPlatform, installShellFiles }:

let
  about = (lib.importTOML ../Cargo.toml).package;
in
rustPlatform.buildRustPackage {
  pname = about.name;
  version = about.version;

  src = lib.cleanSource ../.;
  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [ installShellFiles ];

  # The journeys want daemons and a terminal; tests/run has them.
  cargoTestFlags = [ "--lib" ];

  postInstall = ''
    bash packaging/extras $out/bin/otpanel extras
    installManPage extras/man/*.1
    installShellCompletion --cmd otpanel \
      --bash extras/completions/otpanel.bash \
      --zsh extras/completions/otpanel.zsh \
      --fish extras/completions/otpanel.fish
    install -Dm644 config.example.ron -t $out/share/doc/otpanel
  '';

  meta = {
    description = about.description;
    license = with lib.licenses; [ mit asl20 ];
    mainProgram = "otpanel";
    platforms = lib.platforms.unix;
  };
}
