"""The script for Windows."""

from __future__ import annotations

from services.agent_script.packages import Package
from services.agent_script.quoting import harmless_for_cmd, powershell_word
from services.agent_script.registration import Option, Registration


def powershell_script(wanted: Registration, package: Package, folder: str | None = None) -> str:
    """PowerShell 5 and later, in ASCII. What cmd.exe would not leave alone goes by the agent's variables."""
    address = f"{folder or package.folder}/{package.file}"
    return "\n".join([*_start(wanted, package, address), *_configuration(wanted), ""])


def _start(wanted: Registration, package: Package, address: str) -> list[str]:
    lines = [
        "$ErrorActionPreference = 'Stop'",
        "$protocols = [Net.ServicePointManager]::SecurityProtocol",
        "[Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12",
        "New-Item -ItemType Directory -Force -Path azagent | Out-Null",
        "Set-Location azagent",
        f"$archive = Join-Path $PWD {powershell_word(package.file)}",
        f"Invoke-WebRequest -UseBasicParsing -Uri {powershell_word(address)} -OutFile $archive",
    ]
    if checksum := wanted.checksums.get(package.rid.name):
        lines += [
            f"if ((Get-FileHash -Algorithm SHA256 $archive).Hash -ne '{checksum.upper()}') {{",
            "  throw 'The package is not the one whose SHA-256 was given.'",
            "}",
        ]
    return [*lines, "Expand-Archive -Force -Path $archive -DestinationPath $PWD"]


def _configuration(wanted: Registration) -> list[str]:
    options = [*wanted.target_options(), Option("acceptteeeula")]
    options += [Option("agent", wanted.agent)] if wanted.agent else []
    options += [Option("url", wanted.url), Option("work", wanted.work)]
    options += [Option("replace")] if wanted.replace else []
    options += [Option("runasservice")] if wanted.service else []
    variables = [option for option in options if option.value and not harmless_for_cmd(option.value)]
    lines = [f"$env:{option.variable} = {powershell_word(option.value or '')}" for option in variables]
    words = [_words(option) for option in options if option not in variables]
    words += [] if wanted.agent else ["--agent $env:COMPUTERNAME"]
    lines.append(f".\\config.cmd {' '.join(words)}")
    lines.append('if ($LASTEXITCODE -ne 0) { throw "config.cmd ended with $LASTEXITCODE." }')
    return lines if wanted.service else [*lines, ".\\run.cmd"]


def _words(option: Option) -> str:
    return f"--{option.name}" + (f" {powershell_word(option.value)}" if option.value is not None else "")
