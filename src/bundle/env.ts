// The scripts that point a shell's docker client at a sandbox. DOCKER_CONTEXT is unset: docker/cli
// lets DOCKER_HOST win (cli/command/cli.go, resolveContextName), its documentation says the
// opposite, and other clients follow either.

/**
 * env.sh, to be sourced by bash, zsh, or any POSIX shell. DOCKER_CERT_PATH has to be the directory
 * of the file itself, which only bash and zsh tell; in dash and others it must be sourced from there.
 * Nothing in it trips `set -eu`; it leaves no variables of its own behind.
 */
export function envSh(id: string, dockerHost: string): string {
  return `# berth sandbox ${id}
# Source this file, don't run it:  . ./env.sh
# shellcheck shell=sh disable=SC3028
_berth_file=./env.sh
if [ -n "\${BASH_VERSION:-}" ]; then
  # Without an index it is element 0, and no syntax error to the other shells.
  _berth_file=\${BASH_SOURCE:-./env.sh}
elif [ -n "\${ZSH_VERSION:-}" ]; then
  # zshmisc(1), prompt sequences: %x is the file being read. In quotes, for the others' parsers.
  eval '_berth_file=\${(%):-%x}'
fi
_berth_dir=$(CDPATH='' cd -- "$(dirname -- "$_berth_file")" >/dev/null 2>&1 && pwd -P) || _berth_dir=
if grep -qx '# berth sandbox ${id}' "$_berth_dir/env.sh" 2>/dev/null; then
  export DOCKER_HOST=${shellQuote(dockerHost)}
  export DOCKER_TLS_VERIFY=1
  export DOCKER_CERT_PATH="$_berth_dir"
  # Clients differ in whether it or DOCKER_HOST wins.
  unset DOCKER_CONTEXT _berth_file _berth_dir
else
  echo 'berth: cannot find the bundle of sandbox ${id}; cd into its directory and then: . ./env.sh' >&2
  unset _berth_file _berth_dir
  false
fi
`;
}

/** env.ps1, to be dot-sourced by PowerShell 5 or newer. */
export function envPs1(id: string, dockerHost: string): string {
  return `# berth sandbox ${id}
# Dot-source this file:  . .\\env.ps1
$env:DOCKER_HOST = '${dockerHost.replaceAll("'", "''")}'
$env:DOCKER_TLS_VERIFY = '1'
$env:DOCKER_CERT_PATH = $PSScriptRoot
Remove-Item Env:DOCKER_CONTEXT -ErrorAction SilentlyContinue
`;
}

/** POSIX shell, 2.2.2: within single quotes everything is itself, but for the quote. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
