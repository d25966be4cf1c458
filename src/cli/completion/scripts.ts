/**
 * The completion scripts. They ask `wherry __complete WORD...` and know only their shell. yargs' own scripts take a
 * word apart at colons and equals signs, which image names and flags are full of.
 */

const bash = `# bash completion for wherry; for the start file: source <(wherry completion bash)
_wherry() {
	local word rest=$COMP_LINE breaks='' prefix='' directive i
	local -a words=() answer=()
	# What bash has taken apart at = and : is one word again where no blank stands between.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=\${COMP_WORDS[i]}
		if ((i > 0)) && [[ $rest != [[:blank:]]* ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		rest=\${rest#*"$word"}
	done
	local typing=\${words[-1]}
	mapfile -t answer < <(wherry __completeNoDesc "\${words[@]:1}" 2>/dev/null)
	((\${#answer[@]})) || return 0
	directive=\${answer[-1]#:}
	unset 'answer[-1]'
	[[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
	[[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'
	[[ -n $breaks ]] && prefix=\${typing%"\${typing##*[$breaks]}"}
	COMPREPLY=()
	for word in "\${answer[@]}"; do
		word=\${word#"$prefix"}
		# Quoted for the shell, but not the separator that is gone on with.
		printf -v word '%q' "$word"
		COMPREPLY+=("$word")
	done
	((directive & 2)) && compopt -o nospace 2>/dev/null
	if ((\${#COMPREPLY[@]} == 0 && !(directive & 4))); then
		if ((directive & 16)); then
			mapfile -t COMPREPLY < <(compgen -d -- "\${typing#"$prefix"}")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "\${typing#"$prefix"}")
		fi
		compopt -o filenames 2>/dev/null
	fi
	return 0
}
complete -F _wherry wherry
`;

const zsh = `#compdef wherry
# zsh completion for wherry; for the start file: source <(wherry completion zsh)
_wherry() {
	local -a answer named plain options
	local directive line word
	answer=("\${(@f)$(wherry __complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
	directive=\${answer[-1]#:}
	[[ $directive == <-> ]] || return 1
	answer[-1]=()
	for line in "\${answer[@]}"; do
		[[ -n $line ]] || continue
		word=\${line%%$'\\t'*}
		if [[ $line == *$'\\t'* ]]; then
			named+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
		else
			named+=("\${word//:/\\\\:}")
		fi
	done
	((directive & 2)) && options=(-S '')
	if ((\${#named})); then
		_describe -t candidates 'wherry' named "\${options[@]}"
	elif ((directive & 16)); then
		_path_files -/
	elif ((!(directive & 4))); then
		# The value after --flag= may be a file.
		[[ $PREFIX == --*=* ]] && compset -P '*='
		_files
	fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_wherry "$@"
else
	(($+functions[compdef])) || { autoload -Uz compinit && compinit; }
	compdef _wherry wherry
fi
`;

const fish = `# fish completion for wherry; for the start file: wherry completion fish | source
function __wherry_complete
	set -l words (commandline -opc)
	set -l typing (commandline -ct)
	set -l answer (wherry __complete $words[2..-1] "$typing" 2>/dev/null)
	test (count $answer) -gt 0; or return
	set -l directive (string replace -r '^:' '' -- $answer[-1])
	set -e answer[-1]
	if test (count $answer) -gt 0
		printf '%s\\n' $answer
	else if test (math "bitand($directive, 4)") -eq 0
		# The value after --flag= may be a path.
		set -l prefix (string match -r -- '^--[^=]+=' $typing)
		set -l value (string replace -r -- '^--[^=]+=' '' $typing)
		set -l paths
		if test (math "bitand($directive, 16)") -ne 0
			set paths (__fish_complete_directories $value '')
		else
			set paths (__fish_complete_path $value)
		end
		for path in $paths
			printf '%s%s\\n' "$prefix" $path
		end
	end
end
complete -c wherry -e
complete -c wherry -f -a '(__wherry_complete)'
`;

export const completionScripts: Readonly<Record<string, string>> = {bash, zsh, fish};
