# Baton's .zshenv: zsh is started with ZDOTDIR at this file's folder. It puts the user's own ZDOTDIR back, so that zsh itself
# reads everything else from where it always does, then marks prompts and commands (OSC 133) and reports the folder (OSC 7).

if [[ -n ${BATON_USER_ZDOTDIR+set} ]]; then
  builtin export ZDOTDIR=$BATON_USER_ZDOTDIR
  builtin unset BATON_USER_ZDOTDIR
else
  builtin unset ZDOTDIR
fi
[[ -r ${ZDOTDIR:-$HOME}/.zshenv ]] && builtin source "${ZDOTDIR:-$HOME}/.zshenv"

if [[ -o interactive ]]; then
  typeset -gi __baton_ran=0

  __baton_folder() {
    builtin emulate -L zsh
    setopt extendedglob no_multibyte
    builtin printf '\e]7;file://%s%s\a' "$HOST" "${PWD//(#m)[^A-Za-z0-9\/._~-]/%${(l:2::0:)$(([##16]#MATCH))}}"
  }

  __baton_preexec() {
    __baton_ran=1
    builtin printf '\e]133;C\a'
  }

  __baton_precmd() {
    local -i code=$?
    if ((__baton_ran)); then
      builtin printf '\e]133;D;%d\a' $code
      __baton_ran=0
    fi
    __baton_folder
    # Prompt programs set PS1 anew each time, in hooks of their own: this one has to be the last.
    if [[ ${precmd_functions[-1]} != __baton_precmd ]]; then
      precmd_functions=(${precmd_functions:#__baton_precmd} __baton_precmd)
    fi
    if [[ $PS1 != *'133;A'* ]]; then
      PS1=$'%{\e]133;A\a%}'$PS1$'%{\e]133;B\a%}'
    fi
  }

  typeset -ga precmd_functions preexec_functions
  precmd_functions+=(__baton_precmd)
  preexec_functions+=(__baton_preexec)
fi
