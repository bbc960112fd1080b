# A Python tool in a virtual environment of its own, below node_modules/.cache/fidelity; sourced by the set-ups.

# install_venv NAME REQUIREMENT…: pinned requirements; does nothing when exactly these are there already.
install_venv() {
  local venv=node_modules/.cache/fidelity/$1
  shift
  if [ "$(cat "$venv/requirements.txt" 2>/dev/null)" = "$*" ]; then return; fi
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
  # Last, so that an installation that was cut short is begun anew.
  echo "$*" >"$venv/requirements.txt"
}
