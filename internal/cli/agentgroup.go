package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) newAgentAdmin() (*adminClient, error) {
	return a.newAdminClient(adminPeer{"agent", "lars-lb-agent", "127.0.0.1:7782"}, a.admin)
}

// agentCommand is the group of what an agent thinks of its hosts.
func (a *app) agentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent COMMAND",
		Short: "Show what an agent thinks of its modules and hosts, and why",
		Long: `Show what an agent thinks of its modules and hosts, and why.

These commands ask the admin address of an agent: [admin] addr in
lars-lb-agent's configuration, which has to be set. It is another than that
which programs ask for hosts (--agent).`,
		Example: "  lars agent modules\n  lars agent hosts 1 1 --watch",
	}
	cmd.PersistentFlags().StringVar(&a.admin, "admin", fromEnvironment("LARS_ADMIN", "127.0.0.1:7782"),
		"admin `ADDRESS` of the agent, IP:PORT (LARS_ADMIN)")
	asGroup(cmd)
	cmd.AddCommand(a.agentModulesCommand(), a.agentHostsCommand())
	return cmd
}
