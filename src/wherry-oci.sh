#!/bin/sh
# `wherry oci` under one name, for engines that take the path of an OCI runtime.
self=$0
while [ -L "$self" ]; do
	link=$(readlink -- "$self") || break
	case $link in
		/*) self=$link ;;
		*) self=${self%/*}/$link ;;
	esac
done
case $self in
	*/*) exec "${self%/*}/wherry.sh" oci "$@" ;;
	*) exec wherry.sh oci "$@" ;;
esac
