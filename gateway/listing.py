"""How --help lists commands: each with the whole first sentence of what it does."""

import click

#: Characters; no first sentence is longer.
_SENTENCE = 1000


class Commands(click.Group):
    """A group whose list is wrapped and not cut."""

    group_class = type

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Under the options."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(_SENTENCE)) for name, one in found if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
