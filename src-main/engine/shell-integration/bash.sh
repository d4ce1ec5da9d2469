# Baton's start-up file for interactive bash (bash --rcfile). Reads the user's own files exactly as bash would have, then marks
# prompts and commands (OSC 133) and reports the folder (OSC 7). It changes nothing of the user's on disk.

if [[ -n ${BATON_LOGIN_SHELL-} ]]; then
  unset BATON_LOGIN_SHELL
  [[ -r /etc/profile ]] && . /etc/profile
  for __baton_file in ~/.bash_profile ~/.bash_login ~/.profile; do
    if [[ -r $__baton_file ]]; then . "$__baton_file"; break; fi
  done
  unset __baton_file
elif [[ -r ~/.bashrc ]]; then
  . ~/.bashrc
fi

__baton_none=
__baton_ran=0

# PS0 is expanded when a command is about to run; the expansion that yields nothing notes that one ran. bash before 4.4 has
# no PS0: there every prompt but the first ends a command.
__baton_mark_command='\e]133;C\a${__baton_none:$((__baton_ran=1)):0}'

__baton_folder() {
  local LC_ALL=C path=$PWD encoded= index char code
  case $path in
    *[!A-Za-z0-9/._~-]*)
      for ((index = 0; index < ${#path}; index++)); do
        char=${path:index:1}
        case $char in
          [A-Za-z0-9/._~-]) encoded+=$char ;;
          *) printf -v code '%d' "'$char"; printf -v code '%%%02X' "$((code & 255))"; encoded+=$code ;;
        esac
      done
      path=$encoded
      ;;
  esac
  printf '\e]7;file://%s%s\a' "${HOSTNAME-}" "$path"
}

# Runs before whatever the user has in PROMPT_COMMAND, which must still find the command's status in $?.
__baton_before_prompt() {
  local status=$?
  if ((__baton_ran)); then
    printf '\e]133;D;%s\a' "$status"
    __baton_ran=0
  fi
  return "$status"
}

# Runs after it: prompt programs set PS1 anew each time.
__baton_after_prompt() {
  local status=$?
  __baton_folder
  if [[ ${PS1-} != *'133;A'* ]]; then PS1='\[\e]133;A\a\]'${PS1-}'\[\e]133;B\a\]'; fi
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
    __baton_ran=1
  elif [[ ${PS0-} != *'133;C'* ]]; then
    PS0=${PS0-}$__baton_mark_command
  fi
  return "$status"
}

if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
  PROMPT_COMMAND=(__baton_before_prompt "${PROMPT_COMMAND[@]}" __baton_after_prompt)
else
  PROMPT_COMMAND=__baton_before_prompt$'\n'${PROMPT_COMMAND-}$'\n'__baton_after_prompt
  # A shell started from this one does not know these functions.
  export -n PROMPT_COMMAND
fi
