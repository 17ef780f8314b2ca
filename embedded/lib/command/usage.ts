/** What `--help` prints. */
export const usage = `Usage: embedded-service-center [options]

Starts an embedded Service Center: it speaks the protocol of Apache ServiceComb Service Center, and
is for development and tests, not for production. Ctrl-C or SIGTERM stops it.

  --port <number>   port to listen on, 0 for any free one (default: 30100)
  --host <address>  address to listen on (default: 127.0.0.1, this machine alone)
  --profile <name>  what it passes for: open-source (default), cse-exclusive, cse-professional
                    or cse-legacy
  --rbac            asks for tokens; the password of root is taken from the environment variable
                    SC_INIT_ROOT_PASSWORD
  --tls             speaks HTTPS, with the PEM files of --tls-cert <file> and --tls-key <file>;
                    with --tls-ca <file> a client must show a certificate that these vouch for
  --oddities realistic
                    lags, loses and forgets as a real server does
  --seed <file>     services and instances to start with, as JSON
  --data <file>     keeps services and instances in this file over a restart; once it exists,
                    --seed is passed over
  -h, --help        prints this
  -v, --version     prints the version

Exit codes: 0 once it was stopped, 1 when it cannot start or its data cannot be kept, 2 for a
command line that it does not understand.`;
