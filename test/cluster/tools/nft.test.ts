/** `nft` in a namespace. What it answers to was recorded from nft 1.0.6. */
import { describe, expect, it } from 'vitest';
import { runTool, smallNetwork } from './small-network.ts';

const RULES = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:OURS - [0:0]
-A INPUT -j OURS
-A OURS -s 10.1.0.2/32 -p icmp -m comment --comment ping -j ACCEPT
COMMIT
`;

const CHAIN = (counter: string) => `table ip filter {
	chain OURS {
		meta l4proto icmp ip saddr 10.1.0.2  ${counter} accept
	}
}
`;
const WARNING = '# Warning: table ip filter is managed by iptables-nft, do not touch!\n';

describe('nft', () => {
  it('list ruleset: every chain, with live counters', () => {
    const { client, server } = smallNetwork({ rules: RULES });
    runTool(client, 'ping -c 2 10.2.0.2');
    expect(runTool(server, 'nft list ruleset')).toEqual({
      code: 0,
      error: WARNING,
      out: `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		counter packets 2 bytes 168 jump OURS
	}

	chain FORWARD {
		type filter hook forward priority filter; policy accept;
	}

	chain OUTPUT {
		type filter hook output priority filter; policy accept;
	}

	chain OURS {
		meta l4proto icmp ip saddr 10.1.0.2  counter packets 2 bytes 168 accept
	}
}
`,
    });
  });

  it.each([
    ['list chain ip filter OURS', CHAIN('counter packets 0 bytes 0')],
    ['list chain filter OURS', CHAIN('counter packets 0 bytes 0')],
    ['-s list chain ip filter OURS', CHAIN('counter')],
  ])('%s: one chain', (command, out) => {
    const { server } = smallNetwork({ rules: RULES });
    expect(runTool(server, `nft ${command}`)).toEqual({ code: 0, error: WARNING, out });
  });

  it.each([
    ['list tables', 'table ip filter\n'],
    ['list tables ip6', ''],
    ['list ruleset inet', ''],
    [
      'list chains ip',
      `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
	}
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
	}
	chain OUTPUT {
		type filter hook output priority filter; policy accept;
	}
	chain OURS {
	}
}
`,
    ],
  ])('%s', (command, out) => {
    const { server } = smallNetwork({ rules: RULES });
    expect(runTool(server, `nft ${command}`)).toEqual({ code: 0, error: '', out });
  });

  const END = 'expecting end of file or newline or semicolon';
  it.each([
    ['', 'nft: no command specified'],
    ['list table ip nosuch', 'Error: No such file or directory\nlist table ip nosuch\n              ^^^^^^'],
    ['list table nosuch', 'Error: No such file or directory\nlist table nosuch\n           ^^^^^^'],
    [
      'list chain ip filter NOPE',
      'Error: No such file or directory\nlist chain ip filter NOPE\n                     ^^^^',
    ],
    ['list chain ip no X', 'Error: No such file or directory\nlist chain ip no X\n              ^^'],
    [
      'list table ip',
      'Error: syntax error, unexpected newline, expecting string\nlist table ip\n             ^',
    ],
    ['list ruleset x', `Error: syntax error, unexpected string, ${END}\nlist ruleset x\n             ^`],
    [
      'add table ip x',
      "nft: 'add table ip x' is not supported here; list is, of ruleset, tables, chains, table, chain",
    ],
    ['-j list ruleset', "nft: option 'j' is not supported here"],
  ])('%s: refused', (command, error) => {
    const { server } = smallNetwork({ rules: RULES });
    expect(runTool(server, `nft ${command}`.trim())).toEqual({ code: 1, error: `${error}\n`, out: '' });
  });
});
