/** `cat /etc/resolv.conf`: the one file that a place has. */
import { formatResolvConf } from '../apps/dns/resolv-conf.ts';
import type { Tool } from './tool.ts';

/** `cat` with `args`. */
export const resolvConf: Tool = (args, { resolver, print, complain }) => {
  let code = 0;
  for (const path of args) {
    if (path === '/etc/resolv.conf') print(formatResolvConf(resolver.conf));
    else {
      complain(`cat: ${path}: No such file or directory\n`);
      code = 1;
    }
  }
  return code;
};
