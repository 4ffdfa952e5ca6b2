//! The struct half: the policy, and the macro that hands the struct's visibility to the impl half.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;

use super::{duration, emit, grouped};
use crate::codes::Code;
use crate::dump;
use crate::krate::Krate;
use crate::model::{PressureModel, SettingsModel, SuperviseModel, WatchdogModel};
use crate::names::generated;

/// Everything that follows the user's struct.
pub(crate) fn expand(model: &SettingsModel) -> TokenStream {
    let visibility = visibility(model);
    let settings = settings(model);
    let variable = dump::VARIABLE;
    // Makes cargo compile the crate again when somebody wants to see an expansion.
    let tracked = emit!(
        const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(#variable);
    );
    emit!(#visibility #settings #tracked)
}

/// An `impl` block cannot see how visible its struct is, but it can call a macro that knows.
///
/// The macro takes items in brackets and braces, and after them whatever needs no visibility. The
/// import makes an item of it, so that the halves may come in any order.
fn visibility(model: &SettingsModel) -> TokenStream {
    let (name, carrier, vis) = (&model.names.visibility, &model.names.carrier, &model.vis);
    let (runtime, mismatch) = (runtime(&model.krate), mismatch(model));
    let derives = model.serde.then(|| derives(&model.krate));
    let fingerprint = model.serde.then(|| emit!($($fingerprint)*));
    emit! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #carrier {
            (
                #runtime
                [$([$($on_enum:tt)*] { $($enum:tt)* })*]
                [$([$($on_handle:tt)*] { $($handle:tt)* })*]
                { $($fingerprint:tt)* }
                $($others:tt)*
            ) => {
                $(#derives $($on_enum)* #vis $($enum)*)*
                $($($on_handle)* #vis $($handle)*)*
                #fingerprint
                $($others)*
            };
            ($($others:tt)*) => { #mismatch }
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #carrier as #name;
    }
}

/// What makes the enums fit for other machines.
fn derives(krate: &Krate) -> TokenStream {
    let path = emit!(#krate::private::serde).to_string().replace(' ', "");
    emit! {
        #[derive(#krate::private::serde::Serialize, #krate::private::serde::Deserialize)]
        #[serde(crate = #path)]
    }
}

/// What both halves must agree on: whether the runtime is where everyone expects it.
pub(crate) fn runtime(krate: &Krate) -> TokenStream {
    if krate.is_given() { emit!(runtime_elsewhere) } else { emit!(runtime_here) }
}

/// TPC040: one half says where the runtime is, the other one does not.
fn mismatch(model: &SettingsModel) -> TokenStream {
    let (with, without) = if model.krate.is_given() {
        ("struct", "`impl` block")
    } else {
        ("`impl` block", "struct")
    };
    let text = format!(
        "{}: `crate = ..` stands on the {with} of `{}` but not on its {without}; \
         write the same on both",
        Code::OneCrate.id(),
        model.ident.unraw(),
    );
    let at = generated(model.ident.span());
    quote_spanned!(at=> ::core::compile_error! { #text })
}

fn settings(model: &SettingsModel) -> TokenStream {
    let (krate, actor) = (&model.krate, &model.actor);
    let name = Literal::string(&model.ident.unraw().to_string());
    let (declared, _, clause) = model.generics.split();
    let event =
        model.event.as_ref().map_or_else(|| emit!(#krate::actor::NoEvent), |event| emit!(#event));
    let capacity = model.capacity.map(|capacity| {
        let capacity = grouped(capacity, "usize");
        emit!(.capacity(#capacity))
    });
    let bytes = model.max_request_bytes.map(|(bytes, _)| {
        let bytes = grouped(bytes, "usize");
        emit!(.max_request_bytes(#bytes))
    });
    let deadline = model.deadline.map(|deadline| {
        let deadline = duration(deadline);
        emit!(.deadline(#deadline))
    });
    let pressure = model.pressure.map(|levels| {
        let levels = pressure(krate, levels);
        emit!(.pressure(#levels))
    });
    let fits = fits(model);
    let supervise = model.supervise.as_ref().map(|options| {
        let policy = supervise(krate, options);
        emit!(.supervise(#policy))
    });
    let watchdog = model.watchdog.as_ref().map(|options| {
        let watchdog = watchdog(krate, options);
        emit!(.watchdog(#watchdog))
    });
    let routing = model.event.as_ref().map(|event| routing(krate, event));
    emit! {
        #[automatically_derived]
        impl #declared #krate::actor::Settings for #actor #clause {
            type Event = #event;
            const NAME: &'static ::core::primitive::str = #name;
            const POLICY: #krate::actor::Policy =
                #krate::actor::Policy::new()
                    #capacity #bytes #deadline #pressure #supervise #watchdog;
            #routing
        }
        #fits
    }
}

/// Asks whether the event type implements `Enrich`, which only the compiler knows.
fn routing(krate: &Krate, event: &syn::Type) -> TokenStream {
    emit! {
        const ROUTING: ::core::option::Option<#krate::bus::Routing<Self::Event>> = {
            #[allow(unused_imports)]
            use #krate::private::NotEnriched as _;
            <#krate::private::EventProbe<#event>>::ROUTING
        };
    }
}

/// Looks at the size of requests at once, where it is known; that of a generic actor is looked at
/// for each kind that is spawned.
fn fits(model: &SettingsModel) -> Option<TokenStream> {
    let (_, span) = model.max_request_bytes.filter(|_| model.generics.is_empty())?;
    let (krate, actor) = (model.krate.at(generated(span)), &model.actor);
    Some(quote_spanned!(generated(span)=> const _: () = #krate::private::request_fits::<#actor>();))
}

fn pressure(krate: &Krate, levels: PressureModel) -> TokenStream {
    let PressureModel { throttle_enter, throttle_leave, suspend_enter, suspend_leave } = levels;
    emit! {
        #krate::bridge::Thresholds {
            throttle_enter_percent: #throttle_enter,
            throttle_leave_percent: #throttle_leave,
            suspend_enter_percent: #suspend_enter,
            suspend_leave_percent: #suspend_leave,
        }
    }
}

fn supervise(krate: &Krate, options: &SuperviseModel) -> TokenStream {
    let max = options.max.map(|max| {
        let max = grouped(max.into(), "u32");
        emit!(.max(#max))
    });
    let within = options.within.map(|within| {
        let within = duration(within);
        emit!(.within(#within))
    });
    let backoff = options.backoff.map(|(from, to)| {
        let (from, to) = (duration(from), duration(to));
        emit!(.backoff(#from, #to))
    });
    let variant = |of: &str, variant: &'static str| {
        let (of, variant) = (ident(of), ident(variant));
        emit!(#krate::supervision::#of::#variant)
    };
    let then = options.then.map(|then| variant("Then", then)).map(|then| emit!(.then(#then)));
    let on_panic = options.on_panic.map(|action| variant("OnPanic", action));
    let on_panic = on_panic.map(|action| emit!(.on_panic(#action)));
    let queue = options.queue.map(|queue| variant("Queue", queue));
    let queue = queue.map(|queue| emit!(.queue(#queue)));
    emit!(#krate::supervision::Supervise::new() #max #within #backoff #then #on_panic #queue)
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn watchdog(krate: &Krate, options: &WatchdogModel) -> TokenStream {
    let failures = options.failures.map(|failures| {
        let failures = grouped(failures.into(), "u32");
        emit!(.failures(#failures))
    });
    let within = options.within.map(|within| {
        let within = duration(within);
        emit!(.within(#within))
    });
    let cool_down = options.cool_down.map(|(from, to)| {
        let (from, to) = (duration(from), duration(to));
        emit!(.cool_down(#from, #to))
    });
    let probes = options.probes.map(|probes| {
        let probes = grouped(probes.into(), "u32");
        emit!(.probes(#probes))
    });
    emit!(#krate::supervision::Watchdog::new() #failures #within #cool_down #probes)
}
